import { readModelStoreConformance } from "../conformance/read-model-store.ts";
import { redisSubject } from "./redis-stores.ts";

readModelStoreConformance("in Redis", redisSubject);
