export { PostgresEffectLedger } from "./effect-ledger.ts";
export { forgetTries } from "./forget-tries.ts";
export { migrations } from "./migrations.ts";
export { begunEffects, requestEffects, settleEffects } from "./write-effects.ts";
