/**
 * From an HTTP command to the event stream through Debezium and Kafka, at 200 registrations/s: the
 * event store's outbox is captured by Debezium, folded from Kafka, and the notices go the same way.
 * Checked before a figure is printed: every registration was delivered.
 *
 * Servers are those of DATABASE_URL, KAFKA_BROKERS, CONNECT_URL and SCHEMA_REGISTRY_URL, which keep
 * what is registered; without all of them a stack is started for it (Java and Maven).
 */
import { measureFreshness, tellFreshness } from "./_freshness.ts";
import { offerModules } from "./_instance.ts";
import { stackServers, startOnStack } from "./_stack.ts";

const perSecond = 200;
const needed = ["DATABASE_URL", "KAFKA_BROKERS", "CONNECT_URL", "SCHEMA_REGISTRY_URL"];

await using servers = await stackServers("freshness-stack", needed);
if (servers !== undefined) {
  await using instance = await startOnStack(servers);
  const codes = await offerModules(instance, { modules: 20, capacity: 1_000_000 });
  const { httpUrl } = instance;
  // Two Java programs compile what is used much: longer than for Node alone.
  const warmUpSeconds = 20;
  const load = { httpUrl, codes, perSecond, warmUpSeconds, seconds: 10 };
  tellFreshness(await measureFreshness(load));
}
