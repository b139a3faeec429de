import { beforeEach } from "node:test";
import type { QueuePlace } from "@burla/protocol";
import { FirestoreStateStore } from "../../services/main/src/state/firestore-state-store.ts";
import { placeIn, useEmulator } from "../support/firestore.ts";
import { stateStoreContract } from "./state-store.ts";

const host = useEmulator();
let place: QueuePlace;
beforeEach(() => {
  place = placeIn(host());
});

stateStoreContract(() => new FirestoreStateStore(place));
