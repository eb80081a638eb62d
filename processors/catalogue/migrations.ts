/**
 * The schema `catalogue`: ordinary tables that others write with SQL.
 *
 * No column of `modules` has a DEFAULT: for a nullable one the changelog can't tell NULL from the
 * default, and `updated_at` gets its value from the trigger. An infinite time has no place in an
 * event, so it is refused here, where whoever writes the row is told.
 */
export const migrations: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: "catalogue-1",
    sql: `
      create schema catalogue;

      create table catalogue.modules (
        code text primary key check (length(code) between 1 and 200),
        title text not null,
        capacity integer not null check (capacity >= 0),
        fee_cents integer not null check (fee_cents >= 0),
        opens_at timestamptz check (isfinite(opens_at)),
        closes_at timestamptz check (isfinite(closes_at)),
        updated_at timestamptz not null
      );

      create function catalogue.touch() returns trigger language plpgsql as $$
      begin
        new.updated_at := clock_timestamp();
        return new;
      end $$;

      create trigger touch before insert or update on catalogue.modules
        for each row execute function catalogue.touch();

      create table catalogue.students (
        id text primary key check (length(id) between 1 and 200),
        name text not null,
        email text not null,
        password_hash text not null
      )`,
  },
];
