/**
 * The schema `sandbox`: the books of a payment provider that is played here. Nothing of ours refers
 * to them.
 */
export const sandboxMigrations: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: "sandbox-1",
    sql: `
      create schema sandbox;

      create table sandbox.charges (
        key text primary key,
        payment_id text not null,
        amount_cents integer not null check (amount_cents > 0),
        refused text,
        at timestamptz(3) not null,
        tell_at timestamptz(3),
        answers_lost integer not null,
        asked integer not null
      );

      create index charges_to_tell on sandbox.charges (tell_at) where tell_at is not null;

      create table sandbox.refunds (
        key text primary key,
        reference text not null,
        amount_cents integer not null check (amount_cents > 0)
      );

      create index refunds_of_charge on sandbox.refunds (reference)`,
  },
];
