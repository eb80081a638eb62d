export { registrationSaga } from "./registration-saga.ts";
