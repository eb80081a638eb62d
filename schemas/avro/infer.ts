/** The TypeScript type of data of a schema that is written inline, `as const`. */
export type Infer<S> = InferIn<S, S>;

interface Primitives {
  null: null;
  boolean: boolean;
  int: number;
  long: number;
  float: number;
  double: number;
  bytes: Buffer;
  string: string;
}

/** `Root` is the whole schema, where the names of its types are found. */
type InferIn<S, Root> = S extends keyof Primitives
  ? Primitives[S]
  : S extends string
    ? InferNamed<S, Root>
    : S extends readonly unknown[]
      ? InferIn<S[number], Root>
      : InferComplex<S, Root>;

type InferComplex<S, Root> = S extends { readonly type: "record"; readonly fields: infer Fields }
  ? InferFields<Fields, Root>
  : S extends { readonly type: "enum"; readonly symbols: readonly (infer Symbol)[] }
    ? Symbol
    : S extends { readonly type: "array"; readonly items: infer Items }
      ? readonly InferIn<Items, Root>[]
      : S extends { readonly type: "map"; readonly values: infer Values }
        ? Readonly<Record<string, InferIn<Values, Root>>>
        : S extends { readonly type: "fixed" }
          ? Buffer
          : S extends { readonly type: "long"; readonly longAs: "bigint" }
            ? bigint
            : S extends { readonly type: infer Inner }
              ? InferIn<Inner, Root>
              : unknown;

type InferFields<Fields, Root> = Fields extends readonly {
  readonly name: string;
  readonly type: unknown;
}[]
  ? { readonly [F in Fields[number] as F["name"]]: InferIn<F["type"], Root> }
  : unknown;

type InferNamed<Name, Root> =
  Extract<Definitions<Root>, { readonly name: Name }> extends never
    ? unknown
    : InferIn<Extract<Definitions<Root>, { readonly name: Name }>, Root>;

/** Every named type that a schema defines, as a union. */
type Definitions<S> = S extends string
  ? never
  : S extends readonly unknown[]
    ? Definitions<S[number]>
    : | (S extends { readonly name: string; readonly type: "record" | "enum" | "fixed" }
          ? S
          : never)
      | (S extends { readonly fields: readonly { readonly type: infer Inner }[] }
          ? Definitions<Inner>
          : never)
      | (S extends { readonly items: infer Items } ? Definitions<Items> : never)
      | (S extends { readonly values: infer Values } ? Definitions<Values> : never);
