import type { RouteOptions } from "fastify";

/** Whose a request must be for a route to answer it. Every route has one. */
export type AccessRule =
  | { readonly kind: "anyone" }
  | {
      readonly kind: "signed-in";
      /** `accepted`: a session that was revoked will do, so that signing out twice is as once. */
      readonly ended?: "accepted";
    }
  | { readonly kind: "role"; readonly least: "viewer" | "operator" | "admin" }
  | {
      /** The student whose own it is; operators and admins act for any. */
      readonly kind: "own";
      /**
       * Where the student is named: in the body's `studentId` or the path's `id`, which are compared
       * before the route is asked; or nowhere, so that the route compares what it finds with
       * `onlyOf`.
       */
      readonly named: "in-body" | "in-path" | "nowhere";
    }
  /** The route checks the signature of a payment provider. */
  | { readonly kind: "signed-by-provider" };

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may ask. A server with a route that doesn't say is not built. */
    access?: AccessRule;
  }
}

/** The rules as routes name them. */
export const access = {
  anyone: { kind: "anyone" },
  signedIn: { kind: "signed-in" },
  signingOut: { kind: "signed-in", ended: "accepted" },
  viewer: { kind: "role", least: "viewer" },
  operator: { kind: "role", least: "operator" },
  admin: { kind: "role", least: "admin" },
  ownInBody: { kind: "own", named: "in-body" },
  ownInPath: { kind: "own", named: "in-path" },
  own: { kind: "own", named: "nowhere" },
  signedByProvider: { kind: "signed-by-provider" },
} as const satisfies Readonly<Record<string, AccessRule>>;

/** @throws RangeError where the route doesn't say who may ask. */
export function accessOf({ method, url, config }: RouteOptions): AccessRule {
  const rule = config?.access;
  if (rule !== undefined) return rule;
  throw new RangeError(
    `${[method].flat().join(", ")} ${url} doesn't say who may ask: give it a config.access.`,
  );
}
