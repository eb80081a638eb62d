export { waitingList, waitingListWith, type WaitingListOptions } from "./waiting-list-processor.ts";
