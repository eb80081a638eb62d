export interface Welcome {
  readonly httpUrl: string;
  readonly databaseUrl: string;
  /** undefined: the database is the user's own. */
  readonly dataFolder: string | undefined;
  /** What other commands must be given to find this instance: `--data DIR`, or nothing. */
  readonly findBy: string;
  /** Does the API ask who somebody is? */
  readonly access: "on" | "off";
}

const accessText: Readonly<Record<Welcome["access"], string>> = {
  on: "by session: refold users add makes who may sign in",
  off: "open to everybody on this machine (--auth off)",
};

const signInText = (by: string): string => `
  npx refold users add me --role admin${by}
  TOKEN=$(npx refold sessions open s-1${by})`;

/** What `refold start` prints once it works: where everything is, and lines to try that work. */
export function welcomeText(welcome: Welcome): string {
  const { httpUrl, databaseUrl, dataFolder, findBy, access } = welcome;
  const by = findBy === "" ? "" : ` ${findBy}`;
  const insert =
    "insert into catalogue.modules (code, title, capacity, fee_cents) " +
    "values ('CS-101', 'Programming', 30, 0)";
  const bearer = access === "on" ? ' -H "authorization: Bearer $TOKEN"' : "";
  const body = '{"moduleCode":"CS-101","studentId":"s-1"}';
  return `
Refold listens on ${httpUrl}

  page      ${httpUrl}/ shows seats as they change, and what the system does
  data      ${dataFolder ?? "in the database alone"}
  database  ${databaseUrl}
  access    ${accessText[access]}

Try next, in another terminal:
${access === "on" ? signInText(by) : ""}
  psql "${databaseUrl}" -c "${insert}"
  curl ${httpUrl}/modules/CS-101/availability
  curl -X POST ${httpUrl}/registrations -H 'content-type: application/json'${bearer} -d '${body}'
  curl -N ${httpUrl}/registration-updates
  npx refold status${by}
  npx refold log read module-events${by}

Ctrl-C drains and stops; a second one stops at once.
`;
}
