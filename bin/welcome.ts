export interface Welcome {
  readonly httpUrl: string;
  readonly databaseUrl: string;
  /** undefined: the database is the user's own. */
  readonly dataFolder: string | undefined;
  /** What other commands must be given to find this instance: `--data DIR`, or nothing. */
  readonly findBy: string;
}

/** What `refold start` prints once it works: where everything is, and lines to try that work. */
export function welcomeText({ httpUrl, databaseUrl, dataFolder, findBy }: Welcome): string {
  const by = findBy === "" ? "" : ` ${findBy}`;
  const insert =
    "insert into catalogue.modules (code, title, capacity, fee_cents) " +
    "values ('CS-101', 'Programming', 30, 0)";
  const body = '{"moduleCode":"CS-101","studentId":"s-1"}';
  return `
Refold listens on ${httpUrl}

  data      ${dataFolder ?? "in the database alone"}
  database  ${databaseUrl}

Try next, in another terminal:

  psql "${databaseUrl}" -c "${insert}"
  curl ${httpUrl}/modules/CS-101/availability
  curl -X POST ${httpUrl}/registrations -H 'content-type: application/json' -d '${body}'
  curl -N ${httpUrl}/registration-updates
  npx refold status${by}
  npx refold log read module-events${by}

Ctrl-C drains and stops; a second one stops at once.
`;
}
