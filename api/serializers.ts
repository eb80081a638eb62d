import {
  type RouteDefinition,
  type Serializer,
  type SerializerFactory,
  SerializerSelector,
} from "@fastify/fast-json-stringify-compiler";

/**
 * Fastify's own serializers, each compiled when it is used for the first time. Compiling all of
 * them takes a good part of a second in which nothing else is done, at a start above all, when
 * there is most to catch up on; and those of problems, which are sent as text, are never used.
 */
export function lazySerializers(compileOf = SerializerSelector()): SerializerFactory {
  return (externalSchemas, options) => {
    const compile = compileOf(externalSchemas, options);
    return (route: RouteDefinition): Serializer => {
      let serialize: Serializer | undefined;
      return (body: unknown) => (serialize ??= compile(route))(body);
    };
  };
}
