import { expect, test } from "vitest";

import { aclCommands, aclRoles, aclsOf, principalOf } from "../../bin/doctor/acl.ts";
import { application } from "../../bin/system/definitions.ts";

const acls = aclsOf(application);

test("no role may write where it only reads, and none has rights on the whole cluster", () => {
  const ours = application.eventTopics.map(({ name }) => name);
  const writers = acls.filter(
    ({ name, operations }) => ours.includes(name) && operations.includes("write"),
  );
  expect(new Set(writers.map(({ role }) => role))).toEqual(new Set(["capture", "connect"]));
  expect(
    acls.filter(({ role, operations }) => role === "api" && operations.includes("write")),
  ).toEqual([]);
  for (const { resource, name } of acls) {
    expect(["topic", "group"]).toContain(resource);
    expect(name).not.toBe("*");
  }
});

test("the rights follow from the definitions: their topics, their dead letters, their groups", () => {
  const of = (role: string, resource: string) =>
    acls.filter((acl) => acl.role === role && acl.resource === resource).map(({ name }) => name);
  const topics = [...application.eventTopics, ...application.changeTopics].map(({ name }) => name);
  expect(of("worker", "topic")).toEqual([...topics, ...topics.map((name) => `${name}.dlq`)]);
  const consumers = [...application.processors, ...application.projections];
  expect(of("worker", "group")).toEqual(consumers.map(({ name }) => `refold.${name}`));
  expect(of("api", "group")).toEqual([]);
});

test("each right is one command of Kafka's tool, for the role's principal", () => {
  const text = aclCommands(acls, principalOf);
  expect(text.split("\n")).toHaveLength(acls.length);
  for (const role of aclRoles) expect(text).toContain(`--allow-principal 'User:refold-${role}'`);
  expect(text).toMatch(/'User:refold-worker' --operation Read .*--topic 'module-events'/);
});
