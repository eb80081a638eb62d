import type { Scenario } from "./scenario.ts";

/**
 * The text of a recording: one line for each schema and each event, so that a difference between
 * two recordings is easy to see.
 */
export function scenarioText(scenario: Scenario): string {
  const { schemas = {}, events = [], ...head } = scenario;
  const start = JSON.stringify(head, null, 1).slice(0, -2);
  const schemaLines = Object.entries(schemas).map(
    ([number, schema]) => `${JSON.stringify(number)}:${JSON.stringify(schema)}`,
  );
  const eventLines = events.map((event) => JSON.stringify(event));
  return `${start},
 "schemas":{
${schemaLines.join(",\n")}
},
 "events":[
${eventLines.join(",\n")}
]}
`;
}
