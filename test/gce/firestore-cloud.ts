/** The emulator of Compute Engine beside Google's own of Firestore, which the VMs are told of. */
import { startEmulator } from "../../scripts/firestore/emulator.mjs";
import { Cloud, type CloudOptions } from "./cloud.ts";
import type { CloudUnderTest } from "./scenario.ts";

export async function startWithFirestore(options: CloudOptions): Promise<CloudUnderTest> {
  const firestore = await startEmulator();
  const cloud = await Cloud.start({ ...options, env: { FIRESTORE_EMULATOR_HOST: firestore.host } });
  const close = cloud.close.bind(cloud);
  cloud.close = async () => {
    await close();
    await firestore.stop();
  };
  return cloud;
}
