export { cardNumberOf, issueCard, type IssueCard } from "./issue-card.ts";
export { libraryCard } from "./library-card.ts";
