import { type Static, Type } from "typebox";

import type {
  ConfigUpdate,
  RegistryConfig,
  RegistrySettingsDesk,
} from "../../engine/ports/subject-registry.ts";
import { access } from "../access/rules.ts";
import type { ApiServer } from "../context.ts";
import { registryAnswers, registryTag } from "./answers.ts";
import { answer } from "./media.ts";
import { isSet, queryMembers, SubjectParams } from "./requests.ts";
import {
  ConfigAnswer,
  ConfigRequest,
  ConfigUpdateAnswer,
  ModeAnswer,
  ModeRequest,
} from "./shapes.ts";

const { defaultToGlobal, force } = queryMembers;

/** Every setting is there once for all subjects and once for each. */
const scopes = [
  { path: "", of: "where nothing else is set" },
  { path: "/:subject", of: "of a subject or a context" },
] as const;

/** The subject of a path, if it has one. */
const OptionalSubject = Type.Partial(SubjectParams);

const paramsOf = (path: string) =>
  path === "" ? {} : { params: SubjectParams as typeof OptionalSubject };

/** Compatibility levels and modes, read. */
export function settingQueries(app: ApiServer, settings: RegistrySettingsDesk): void {
  const querystring = Type.Object({ defaultToGlobal });
  for (const { path, of } of scopes) {
    const schema = { tags: registryTag, querystring, ...paramsOf(path) };
    app.route({
      method: "GET",
      url: `/config${path}`,
      config: { access: access.viewer },
      schema: {
        ...schema,
        summary: `Compatibility level ${of}`,
        response: registryAnswers("The level.", ConfigAnswer),
      },
      handler: async (request, reply) => {
        const { subject } = request.params as Static<typeof OptionalSubject>;
        const otherwise = isSet(request.query.defaultToGlobal) ? "inherited" : "refuse";
        return answer(request, reply, configShape(await settings.config({ subject, otherwise })));
      },
    });
    app.route({
      method: "GET",
      url: `/mode${path}`,
      config: { access: access.viewer },
      schema: {
        ...schema,
        summary: `Mode ${of}`,
        response: registryAnswers("The mode.", ModeAnswer),
      },
      handler: async (request, reply) => {
        const { subject } = request.params as Static<typeof OptionalSubject>;
        const otherwise = isSet(request.query.defaultToGlobal) ? "inherited" : "refuse";
        return answer(request, reply, { mode: await settings.mode({ subject, otherwise }) });
      },
    });
  }
}

/** What changes settings. */
export function settingCommands(app: ApiServer, settings: RegistrySettingsDesk): void {
  for (const scope of scopes) {
    configCommands(app, settings, scope);
    modeCommands(app, settings, scope);
  }
}

function configCommands(
  app: ApiServer,
  settings: RegistrySettingsDesk,
  { path, of }: (typeof scopes)[number],
): void {
  const schema = { tags: registryTag, ...paramsOf(path) };
  app.route({
    method: "PUT",
    url: `/config${path}`,
    config: { access: access.admin },
    schema: {
      ...schema,
      summary: `Set the compatibility level ${of}`,
      body: ConfigRequest,
      response: registryAnswers("What was set.", ConfigUpdateAnswer),
    },
    handler: async (request, reply) => {
      const { subject } = request.params as Static<typeof OptionalSubject>;
      return answer(request, reply, await settings.setConfig(subject, updateOf(request.body)));
    },
  });
  app.route({
    method: "DELETE",
    url: `/config${path}`,
    config: { access: access.admin },
    schema: {
      ...schema,
      summary: `Forget the compatibility level ${of}`,
      response: registryAnswers("The level until now.", ConfigAnswer),
    },
    handler: async (request, reply) => {
      const { subject } = request.params as Static<typeof OptionalSubject>;
      return answer(request, reply, configShape(await settings.deleteConfig(subject)));
    },
  });
}

function modeCommands(
  app: ApiServer,
  settings: RegistrySettingsDesk,
  { path, of }: (typeof scopes)[number],
): void {
  const schema = { tags: registryTag, ...paramsOf(path) };
  app.route({
    method: "PUT",
    url: `/mode${path}`,
    config: { access: access.admin },
    schema: {
      ...schema,
      summary: `Set the mode ${of}`,
      querystring: Type.Object({ force }),
      body: ModeRequest,
      response: registryAnswers("What was set.", ModeAnswer),
    },
    handler: async (request, reply) => {
      const { subject } = request.params as Static<typeof OptionalSubject>;
      const existing = isSet(request.query.force) ? "forced" : "refused";
      const mode = await settings.setMode(subject, request.body.mode, existing);
      return answer(request, reply, { mode });
    },
  });
  app.route({
    method: "DELETE",
    url: `/mode${path}`,
    config: { access: access.admin },
    schema: {
      ...schema,
      summary: `Forget the mode ${of}`,
      response: registryAnswers("The mode until now.", ModeAnswer),
    },
    handler: async (request, reply) => {
      const { subject } = request.params as Static<typeof OptionalSubject>;
      return answer(request, reply, { mode: await settings.deleteMode(subject) });
    },
  });
}

/** What a client leaves out or sends as null stays as it is. */
function updateOf({ compatibility, normalize }: Static<typeof ConfigRequest>): ConfigUpdate {
  return {
    ...(typeof compatibility === "string" ? { compatibility } : {}),
    ...(typeof normalize === "boolean" ? { normalize } : {}),
  };
}

function configShape({ compatibility, normalize }: RegistryConfig): object {
  const compatibilityLevel = compatibility;
  return normalize === undefined ? { compatibilityLevel } : { compatibilityLevel, normalize };
}
