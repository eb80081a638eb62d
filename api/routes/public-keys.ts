import { Type } from "typebox";

import type { Tokens } from "../access/contract.ts";
import { access as rules } from "../access/rules.ts";
import { jsonAnswer, problemAnswers, storeProblems } from "../answers.ts";
import type { ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";

const Keys = Type.Object({
  keys: Type.Array(Type.Object({}, { additionalProperties: true })),
});

/** Keys change by the month, and are published a day before they sign. */
const cacheControl = "public, max-age=300";

/** What others verify tokens with. */
export function publicKeyRoutes(app: ApiServer, tokens: Pick<Tokens, "publicKeys">): void {
  const schema = {
    tags: [tags.sessions],
    summary: "The public keys that verify tokens now, as a JWK set (RFC 7517)",
    response: {
      200: jsonAnswer("The keys.", Keys, { "cache-control": Type.Literal(cacheControl) }),
      ...problemAnswers(storeProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/.well-known/jwks.json",
    config: { access: rules.anyone },
    schema,
    handler: async (_, reply) => {
      const { keys } = await tokens.publicKeys();
      void reply.header("cache-control", cacheControl);
      return { keys: keys.map((key) => ({ ...key })) };
    },
  });
}
