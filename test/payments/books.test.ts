import { describe } from "vitest";

import { MemoryBooks } from "../../connectors/payments/index.ts";
import { sandboxBooksSuite } from "../conformance/sandbox-books.ts";

describe("books of the sandbox in memory", () => sandboxBooksSuite(async () => new MemoryBooks()));
