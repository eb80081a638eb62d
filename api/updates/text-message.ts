/** First byte of a frame: the last of its message, text (RFC 6455, section 5.2). */
const finalText = 0x81;
/** Payloads up to this length have it in the second byte; above, that byte says what follows. */
const shortBytesMax = 125;
const twoBytesFollow = 126;
const eightBytesFollow = 127;

/**
 * A whole WebSocket message as a server sends it: unmasked, uncompressed, in one frame. Made once,
 * it is written to any number of sockets, where the library would frame it again for each.
 */
export function textMessage(text: string): Buffer {
  const payload = Buffer.from(text, "utf8");
  return Buffer.concat([head(payload.length), payload]);
}

function head(length: number): Buffer {
  if (length <= shortBytesMax) return Buffer.of(finalText, length);
  if (length <= 0xffff) return Buffer.of(finalText, twoBytesFollow, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(10);
  bytes.writeUInt8(finalText, 0);
  bytes.writeUInt8(eightBytesFollow, 1);
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}
