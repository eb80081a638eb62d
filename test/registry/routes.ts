import type { RegistryStore } from "../../engine/ports/registry-store.ts";
import { subjectRegistry } from "../../connectors/registry/index.ts";
import { serverOfTest } from "../api/server.ts";
import type { Call } from "./scenario.ts";

const mediaType = "application/vnd.schemaregistry.v1+json";

/** The registry's routes on a store, for one test, held to the API's own document. */
export async function registryRoutesOfTest(store: RegistryStore): Promise<Call> {
  const { app } = await serverOfTest({ deps: { registry: subjectRegistry(store) } });
  return async ({ method, path, body, rawBody }) => {
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await app.inject({
      method: method as "GET",
      url: `/registry${path.replaceAll(/[^\u0021-\u007e]/g, encodeURIComponent)}`,
      headers: { "content-type": mediaType, accept: mediaType },
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: response.statusCode, text: response.body, headers: response.headers };
  };
}
