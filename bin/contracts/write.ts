import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { contractText } from "../commands/schema-contracts.ts";

writeFileSync(join(import.meta.dirname, "../../docs/asyncapi.yaml"), contractText());
