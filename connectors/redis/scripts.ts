import { script } from "./script.ts";

/**
 * Every script works on the keys of one partition, which share a hash tag:
 *
 * | key            | what                                                                       |
 * |----------------|----------------------------------------------------------------------------|
 * | `KEYS[1]`      | where the partition stands, a hash: `epoch:<topic>`, `at:<topic>` (the     |
 * |                | position, as text), `time:<topic>` (recorded time of the last record),     |
 * |                | `digests` (see digest-text), `whole` (its rows are all there), `revision`  |
 * |                | (see ReadModelSnapshots)                                                   |
 * | `KEYS[1]:<key>`| a row, as JSON                                                             |
 * | `KEYS[2]`      | the rows' keys, a sorted set whose scores are all 0: in order of bytes     |
 *
 * Numbers go in and out as text: Lua's are doubles.
 */

/** Arguments of one command: Lua's stack takes no more than some 8,000. */
const commandArguments = 4000;

/**
 * Raises the epoch of each topic in `ARGV`; gives `epoch, at` for each. An epoch is at least the
 * server's clock in microseconds, so that one given after keys were lost (or by an older replica)
 * is above those that were given before.
 */
export const claimScript = script(`
local now = redis.call('TIME')
local least = tonumber(now[1]) * 1000000 + tonumber(now[2])
local answer = {}
for i = 1, #ARGV do
  local field = 'epoch:' .. ARGV[i]
  local epoch = (tonumber(redis.call('HGET', KEYS[1], field) or '0')) + 1
  if epoch < least then epoch = least end
  local text = string.format('%.0f', epoch)
  redis.call('HSET', KEYS[1], field, text)
  answer[#answer + 1] = text
  answer[#answer + 1] = redis.call('HGET', KEYS[1], 'at:' .. ARGV[i]) or ''
end
return answer`);

/** Lua that leaves the lost topics in `lost`; `cold` when an epoch is gone with all the rest. */
const fenceLua = `
local lost, cold = {}, false
local at, fences = 2, tonumber(ARGV[1])
for i = 1, fences do
  local held = redis.call('HMGET', KEYS[1], 'epoch:' .. ARGV[at], 'at:' .. ARGV[at])
  if not held[1] then cold = true end
  if held[1] ~= ARGV[at + 1] or (held[2] or '') ~= ARGV[at + 2] then lost[#lost + 1] = ARGV[at] end
  at = at + 5
end
if #lost > 0 then return {cold and 'cold' or 'fenced', unpack(lost)} end`;

/**
 * The fence alone. `ARGV`: the number of fences, and for each `topic, epoch, from, to, time`.
 * Gives `held`, or `fenced` or `cold` and the lost topics.
 */
export const fenceScript = script(`${fenceLua}
return {'held'}`);

/**
 * Checks the fences, then writes rows, digests and positions, or nothing. After the fences come four
 * lists, each after its length, as their commands take them: for MSET, for ZADD (rows that may be
 * new), for UNLINK and for ZREM. Then, for each changed bucket, in their order, `bucket, high, low,
 * rows`.
 */
export const flushScript = script(`${fenceLua}
local last = at
local function many(command, key)
  local count = tonumber(ARGV[last])
  for from = last + 1, last + count, ${commandArguments} do
    local to = math.min(from + ${commandArguments - 1}, last + count)
    if key then redis.call(command, key, unpack(ARGV, from, to))
    else redis.call(command, unpack(ARGV, from, to)) end
  end
  last = last + count + 1
end
many('MSET', nil)
many('ZADD', KEYS[2])
many('UNLINK', nil)
many('ZREM', KEYS[2])
last = last - 1
local set = {}
if last < #ARGV then
  local old = redis.call('HGET', KEYS[1], 'digests')
  if not old then old = string.rep('0', 24 * 256) end
  local parts, from = {}, 1
  for i = last + 1, #ARGV, 4 do
    local begin = 24 * tonumber(ARGV[i]) + 1
    local high = tonumber(string.sub(old, begin, begin + 7), 16) + tonumber(ARGV[i + 1])
    local low = tonumber(string.sub(old, begin + 8, begin + 15), 16) + tonumber(ARGV[i + 2])
    local rows = tonumber(string.sub(old, begin + 16, begin + 23), 16) + tonumber(ARGV[i + 3])
    if low >= 4294967296 then low, high = low - 4294967296, high + 1 end
    if high >= 4294967296 then high = high - 4294967296 end
    if rows >= 4294967296 then rows = rows - 4294967296 elseif rows < 0 then rows = rows + 4294967296 end
    parts[#parts + 1] = string.sub(old, from, begin - 1)
    parts[#parts + 1] = string.format('%08x%08x%08x', high, low, rows)
    from = begin + 24
  end
  parts[#parts + 1] = string.sub(old, from)
  set[1], set[2] = 'digests', table.concat(parts)
end
at = 2
for i = 1, fences do
  set[#set + 1] = 'at:' .. ARGV[at]
  set[#set + 1] = ARGV[at + 3]
  if ARGV[at + 4] ~= '' then
    set[#set + 1] = 'time:' .. ARGV[at]
    set[#set + 1] = ARGV[at + 4]
  end
  at = at + 5
end
if #set > 0 then redis.call('HSET', KEYS[1], unpack(set)) end
return {'held'}`);

/**
 * `ARGV`: the topics, then `fields` of `KEYS[1]`... Gives the values in that order; after them
 * the row `KEYS[2]` where there is a second key.
 */
export const readScript = script(`
local answer = redis.call('HMGET', KEYS[1], unpack(ARGV))
if KEYS[2] then answer[#answer + 1] = redis.call('GET', KEYS[2]) end
return answer`);

/**
 * A page of rows in order of their keys' bytes. `ARGV`: the last key of the page before, after
 * `(`, or `-`; how many; then fields of `KEYS[1]`. Gives `fields, keys, rows`.
 */
export const pageScript = script(`
local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local names, rows = {}, {}
for i = 1, #keys do names[i] = KEYS[1] .. ':' .. keys[i] end
if #names > 0 then rows = redis.call('MGET', unpack(names)) end
return {redis.call('HMGET', KEYS[1], unpack(ARGV, 3)), keys, rows}`);

/** Lua that ends with `fenced` unless the epochs are those given: `ARGV[1]` times `topic, epoch`. */
const epochsLua = `
local at, topics = 2, tonumber(ARGV[1])
for i = 1, topics do
  if redis.call('HGET', KEYS[1], 'epoch:' .. ARGV[at]) ~= ARGV[at + 1] then return 'fenced' end
  at = at + 2
end`;

/**
 * Takes rows of a partition away that is to be filled anew, up to `ARGV`'s last of them, and all
 * that says where it stands, but not the epochs. Gives how many are left.
 */
export const clearScript = script(`${epochsLua}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 6) ~= 'epoch:' then redis.call('HDEL', KEYS[1], field) end
end
local keys = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[at]) - 1)
local names = {}
for i = 1, #keys do names[i] = KEYS[1] .. ':' .. keys[i] end
if #names > 0 then
  redis.call('UNLINK', unpack(names))
  redis.call('ZREM', KEYS[2], unpack(keys))
end
return redis.call('ZCARD', KEYS[2])`);

/** Writes rows into a partition that is being filled: `key, JSON` for each, after the epochs. */
export const fillScript = script(`${epochsLua}
local puts, members = {}, {}
for i = at, #ARGV, 2 do
  puts[#puts + 1] = KEYS[1] .. ':' .. ARGV[i]
  puts[#puts + 1] = ARGV[i + 1]
  members[#members + 1] = '0'
  members[#members + 1] = ARGV[i]
end
redis.call('MSET', unpack(puts))
redis.call('ZADD', KEYS[2], unpack(members))
return 'held'`);

/** Says that a partition is whole, and where it stands: `field, value` for each, after the epochs. */
export const wholeScript = script(`${epochsLua}
redis.call('HSET', KEYS[1], 'whole', '1', unpack(ARGV, at))
return 'held'`);

/**
 * `ARGV`: a bucket, then keys of rows in it. Gives `whole`, the bucket's digest, the rows: nothing
 * for one that is gone, or is no text.
 */
export const bucketScript = script(`
local rows = {}
for i = 2, #ARGV do
  local row = redis.pcall('GET', KEYS[1] .. ':' .. ARGV[i])
  rows[i - 1] = type(row) == 'string' and row
end
local held = redis.call('HMGET', KEYS[1], 'whole', 'digests')
local begin = 24 * tonumber(ARGV[1])
return {held[1], string.sub(held[2] or string.rep('0', 24 * 256), begin + 1, begin + 24), rows}`);

/** How many of the rows with these keys (`ARGV`) are there, and aren't listed. */
export const unlistedScript = script(`
local unlisted = 0
for i = 1, #ARGV do
  if not redis.call('ZSCORE', KEYS[2], ARGV[i]) and redis.call('EXISTS', KEYS[1] .. ':' .. ARGV[i]) == 1 then
    unlisted = unlisted + 1
  end
end
return unlisted`);
