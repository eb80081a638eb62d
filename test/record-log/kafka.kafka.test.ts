import { KafkaCluster, KafkaRecordLog } from "../../connectors/kafka/index.ts";
import { recordLogConformance } from "../conformance/record-log.ts";
import { adminOf, brokersOfRun } from "../kafka/cluster-of-test.ts";

recordLogConformance("Kafka", async () => {
  const brokers = brokersOfRun();
  const cluster = new KafkaCluster({ brokers });
  const others = new KafkaCluster({ brokers, clientId: "another" });
  // Small batches, so that fetches are cut between them.
  const log = new KafkaRecordLog({ cluster, batchRecordsMax: 2 });
  const other = new KafkaRecordLog({ cluster: others });
  const admin = await adminOf(brokers);
  return {
    log,
    other,
    deleteBefore: async (topic, before) => {
      const partitions = [...before].map(([partition, to]) => ({ partition, offset: String(to) }));
      // The client deletes only from topics whose metadata it has seen.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions });
    },
    close: async () => {
      for (const each of [log, other, cluster, others]) await each[Symbol.asyncDispose]();
      await admin.disconnect();
    },
  };
});
