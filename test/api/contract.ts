import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

/** One answer as a client got it. */
export interface SeenAnswer {
  readonly method: string;
  /** With its query, if it had one. */
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, HeaderValue>>;
  /** undefined where it was not read: a stream, say. */
  readonly body: string | undefined;
}

type HeaderValue = string | number | readonly string[] | undefined;

interface Operation {
  readonly responses: Readonly<Record<string, Documented>>;
}

interface Documented {
  readonly headers?: Readonly<Record<string, { readonly schema: object }>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: object;
}

/** Compares answers with an OpenAPI document: nothing may be seen that it doesn't tell. */
export class Contract {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<object, ValidateFunction>();
  readonly #routes: readonly { readonly pattern: RegExp; readonly path: string }[];
  readonly #document: ApiDocument;

  constructor(document: ApiDocument) {
    this.#document = document;
    addFormats.default(this.#ajv);
    this.#routes = Object.keys(document.paths)
      // Literal segments come before parameters, as in routing.
      .sort((a, b) => a.split("{").length - b.split("{").length)
      .map((path) => ({ path, pattern: patternOf(path) }));
  }

  /** How an answer differs from the document; undefined: it doesn't. */
  faultOf(answer: SeenAnswer): string | undefined {
    const path = answer.url.split("?")[0] ?? "";
    const documented = this.#documented(answer.method, path, answer.status);
    const fault =
      documented === undefined
        ? faultOutside(answer)
        : (this.#faultOfBody(answer, documented) ?? this.#faultOfHeaders(answer, documented));
    return fault && `${answer.method} ${answer.url} ${answer.status}: ${fault}`;
  }

  /** undefined where the path has no such method: then the answer must be a problem. */
  #documented(method: string, path: string, status: number): Documented | undefined {
    const route = this.#routes.find(({ pattern }) => pattern.test(path));
    if (route === undefined) return undefined;
    // Streams have no HEAD, and the document tells it of no GET.
    if (method === "HEAD" && status === 405) return undefined;
    const asked = method === "HEAD" ? "get" : method.toLowerCase();
    const operation = this.#document.paths[route.path]?.[asked];
    if (operation === undefined) return undefined;
    return operation.responses[status] ?? {};
  }

  #faultOfBody(answer: SeenAnswer, documented: Documented): string | undefined {
    const { content } = documented;
    if (content === undefined) {
      if ("description" in documented) return answer.body ? "it has a body" : undefined;
      return "the document has no such status";
    }
    const media = mediaOf(answer);
    const schema = content[media]?.schema;
    if (schema === undefined) return `the document has no ${media} for this status`;
    if (answer.body === undefined || answer.method === "HEAD") return undefined;
    return this.#mismatch(schema, media.endsWith("json") ? JSON.parse(answer.body) : answer.body);
  }

  #faultOfHeaders(answer: SeenAnswer, { headers = {} }: Documented): string | undefined {
    for (const [name, { schema }] of Object.entries(headers)) {
      const value = answer.headers[name];
      if (value === undefined) {
        if ("x-sometimes" in schema) continue;
        return `the header ${name} is missing`;
      }
      const mismatch = this.#mismatch(schema, String(value));
      if (mismatch !== undefined) return `header ${name}: ${mismatch}`;
    }
    return undefined;
  }

  #mismatch(schema: object, value: unknown): string | undefined {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      // References begin at the document's root.
      validate = this.#ajv.compile({ ...schema, components: this.#document.components });
      this.#validators.set(schema, validate);
    }
    if (validate(value)) return undefined;
    return `${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`;
  }
}

/** A plugin's own root is there with and without the slash at its end. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+").replace(/(?<=.)\/$/, "/?")}$`);

/** What no operation answers is an unknown path, an unknown method, or a request that has no sense. */
function faultOutside(answer: SeenAnswer): string | undefined {
  if (![400, 404, 405, 413, 414, 415, 429, 431, 503].includes(answer.status)) {
    return "no operation has this answer";
  }
  const media = mediaOf(answer);
  const expected = answer.url.startsWith("/registry/") ? registryMedia : "application/problem+json";
  return media === expected ? undefined : `it is ${media}, not ${expected}`;
}

/** What the registry's routes tell their refusals in, where there is no operation too. */
const registryMedia = "application/vnd.schemaregistry.v1+json";

const mediaOf = ({ headers }: SeenAnswer): string =>
  String(headers["content-type"]).split(";")[0] ?? "";
