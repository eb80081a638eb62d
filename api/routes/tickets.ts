import { Type } from "typebox";

import { refused, sessionRequired, ticketsBusy } from "../access/problems.ts";
import { access as rules } from "../access/rules.ts";
import type { Tickets } from "../access/tickets.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import type { ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { iso, Time } from "../shapes.ts";

const Given = Type.Object({
  ticket: Type.String({ description: "For `?ticket=` of one stream." }),
  expiresAt: Time,
});

/** What a browser opens streams with that need a session. */
export function ticketRoutes(app: ApiServer, tickets: Tickets): void {
  const schema = {
    tags: [tags.sessions],
    summary: "Gives a ticket that opens one stream, once, at this process",
    response: {
      201: jsonAnswer("The ticket.", Given, { "cache-control": Type.Literal("no-store") }),
      ...problemAnswers(["too-many-tickets"]),
    },
  };
  app.route({
    method: "POST",
    url: "/tickets",
    config: { access: rules.signedIn },
    schema,
    handler: async ({ identity }, reply) => {
      if (identity === undefined) throw refused(sessionRequired);
      const given = tickets.give(identity);
      if (given === undefined) throw refused(ticketsBusy);
      void reply.code(201).header("cache-control", "no-store");
      return { ticket: given.ticket, expiresAt: iso(given.expiresAtMs) };
    },
  });
}
