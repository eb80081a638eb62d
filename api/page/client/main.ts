import { Page } from "./page.ts";

await new Page(document).start();
