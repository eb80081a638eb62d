import { stringify } from "yaml";

import type { Definitions } from "../system/definitions.ts";

const head = `# Made by npm run generate from the projections and processors that there are. Positions are kept in
# Postgres; how far each consumer is, the groups refold.<consumer> tell, and KEDA reads them. Never
# more workers than partitions: one more would have nothing to do.
`;

/** Records behind, for each worker, from which another one is wanted. */
const lagThreshold = 10_000;

/** One worker may be lost without a pause of all. */
const workersMin = 2;

/**
 * The text of a KEDA ScaledObject over the lag of every consumer
 * (https://keda.sh/docs/latest/scalers/apache-kafka/).
 */
export function scaledWorkersFile({
  projections,
  processors,
}: Pick<Definitions, "projections" | "processors">): string {
  const consumers = [...projections, ...processors].map(({ name, ...one }) => ({
    name,
    topics: one.kind === "events" ? one.from : [one.from],
  }));
  const partitions = consumers.flatMap(({ topics }) => topics.map((topic) => topic.partitions));
  const object = {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: { name: "refold-workers" },
    spec: {
      scaleTargetRef: { name: "refold-workers" },
      minReplicaCount: workersMin,
      maxReplicaCount: Math.max(...partitions),
      pollingInterval: 15,
      advanced: { horizontalPodAutoscalerConfig: { behavior } },
      triggers: consumers.flatMap(({ name, topics }) =>
        topics.map((topic) => trigger(name, topic)),
      ),
    },
  };
  return head + stringify(object, { lineWidth: 96 });
}

/** Every change moves partitions: up at once, down when it has been quiet for a while. */
const behavior = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [{ type: "Pods", value: 2, periodSeconds: 60 }],
  },
  scaleDown: {
    stabilizationWindowSeconds: 600,
    policies: [{ type: "Pods", value: 1, periodSeconds: 120 }],
  },
};

const trigger = (consumer: string, { name: topic }: { readonly name: string }): object => ({
  type: "kafka",
  metadata: {
    bootstrapServersFromEnv: "KAFKA_BROKERS",
    consumerGroup: `refold.${consumer}`,
    topic,
    lagThreshold: String(lagThreshold),
    // Who has applied nothing yet has all of it before him.
    offsetResetPolicy: "earliest",
  },
});
