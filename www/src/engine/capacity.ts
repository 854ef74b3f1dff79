/** How many engines a machine gets. */

/** What is known of the machine; `deviceMemory` (GiB, rounded down by browsers) is missing in some. */
export interface Machine {
  hardwareConcurrency?: number | undefined;
  deviceMemory?: number | undefined;
}

/** One processor is left to the page; an engine with a large network and its working set takes up to 1.5 GiB. */
export function engines({ hardwareConcurrency = 2, deviceMemory = 6 }: Machine): number {
  const byMemory = Math.floor(deviceMemory / 1.5);
  return Math.max(1, Math.min(hardwareConcurrency - 1, byMemory, 8));
}
