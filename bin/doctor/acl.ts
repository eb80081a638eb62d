import { deadLetterTopicOf } from "../../connectors/kafka/index.ts";
import { transactionTopic } from "../system/capture.ts";
import type { Definitions } from "../system/definitions.ts";

/** What a client of Kafka is there for: a kind of process of ours, or the Connect worker. */
export const aclRoles = ["api", "worker", "capture", "connect"] as const;
export type AclRole = (typeof aclRoles)[number];

export type AclOperation = "read" | "write" | "create" | "describe" | "describe-configs";

/** What one role may do with one resource, or with all whose names begin so. */
export interface Acl {
  readonly role: AclRole;
  readonly resource: "topic" | "group";
  readonly name: string;
  readonly pattern: "literal" | "prefixed";
  readonly operations: readonly AclOperation[];
}

type Topics = Pick<
  Definitions,
  "eventTopics" | "changeTopics" | "processors" | "projections" | "slotName"
>;

/** Names that a Connect worker has for itself, as its own settings say. */
const connectTopics = ["connect-configs", "connect-offsets", "connect-status"];
const connectGroup = "connect";

/** What every process does at its start: makes topics that aren't there, and reads their settings. */
const preparing = ["create", "describe", "describe-configs"] as const;

/**
 * The rights in Kafka that each role works with, and no others. There are no transactions, so there
 * are no transactional ids; since Kafka 3.0 an idempotent producer needs the right to write alone.
 */
export function aclsOf(definitions: Topics): readonly Acl[] {
  const { eventTopics, changeTopics } = definitions;
  const ours = [...eventTopics, ...changeTopics].map(({ name }) => name);
  const captured = [...ours, transactionTopic.name];
  return [
    ...ours.map((name) => topic("api", name, ["read", ...preparing])),
    ...ours.map((name) => topic("worker", name, ["read", ...preparing])),
    ...ours.map((name) => topic("worker", deadLetterTopicOf(name), ["write", ...preparing])),
    ...consumersOf(definitions).map((name) => group("worker", `refold.${name}`)),
    // It reads what it has published last, to tell a log that was put back from one that goes on.
    ...captured.map((name) => topic("capture", name, ["read", "write", ...preparing])),
    ...captured.map((name) => topic("connect", name, ["write", "create", "describe"])),
    ...connectTopics.map((name) => topic("connect", name, ["read", "write", ...preparing])),
    heartbeats(definitions.slotName),
    group("connect", connectGroup),
  ];
}

const topic = (role: AclRole, name: string, operations: readonly AclOperation[]): Acl => ({
  role,
  resource: "topic",
  name,
  pattern: "literal",
  operations,
});

/** Read: of a group's offsets, and of them alone, to write them too. */
const group = (role: AclRole, name: string): Acl => ({
  role,
  resource: "group",
  name,
  pattern: "literal",
  operations: ["read", "describe"],
});

/** Debezium's own, one for each connector, by the prefix that they share. */
const heartbeats = (prefix: string): Acl => ({
  ...topic("connect", `__debezium-heartbeat.${prefix}`, ["write", "create", "describe"]),
  pattern: "prefixed",
});

const consumersOf = ({ processors, projections }: Topics): readonly string[] =>
  [...processors, ...projections].map(({ name }) => name);

/** The role's principal where none is named: `User:refold-worker`. */
export const principalOf = (role: AclRole): string => `User:refold-${role}`;

const operationNames: Readonly<Record<AclOperation, string>> = {
  read: "Read",
  write: "Write",
  create: "Create",
  describe: "Describe",
  "describe-configs": "DescribeConfigs",
};

/** Commands for Kafka's own tool; `$BOOTSTRAP` and its `--command-config` are the administrator's. */
export function aclCommands(acls: readonly Acl[], principal: (role: AclRole) => string): string {
  const lines = acls.map(({ role, resource, name, pattern, operations }) => {
    const told = operations.map((one) => ` --operation ${operationNames[one]}`).join("");
    const prefixed = pattern === "prefixed" ? " --resource-pattern-type prefixed" : "";
    return (
      `kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --add --allow-principal ` +
      `'${principal(role)}'${told} --${resource} '${name}'${prefixed}`
    );
  });
  return lines.join("\n");
}
