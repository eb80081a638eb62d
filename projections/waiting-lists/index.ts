export { waitingLists, type WaitingListRow } from "./projection.ts";
export { lineOfModule, type LinePage, placeInLine, type PlaceInLine } from "./queries.ts";
