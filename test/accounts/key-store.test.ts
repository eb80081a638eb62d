import { describe } from "vitest";

import { MemoryKeyStore } from "../../connectors/accounts/index.ts";
import { keyStoreSuite } from "../conformance/key-store.ts";

describe("keys in memory", () => keyStoreSuite(async () => new MemoryKeyStore()));
