/** How many engines a machine gets. */

/** What is known of the machine; `deviceMemory` (GiB, rounded down and capped by browsers) is missing in some. */
export interface Machine {
  hardwareConcurrency?: number | undefined;
  deviceMemory?: number | undefined;
}

/** What the number of engines was held down by. */
export type Limit = 'processors' | 'memory' | 'most' | 'asked';

export interface Capacity {
  engines: number;
  limit: Limit;
}

/** Beyond this, messages cost more than another engine brings. */
const MOST = 8;
/** What an engine may take, GiB: 0.3 with the networks of this page, more with a visitor's large one. */
const ENGINE = 0.5;
/** The share of the memory that engines may take together. */
const SHARE = 0.5;

/** One processor is left to the page. */
export function capacity({ hardwareConcurrency = 2, deviceMemory = 4 }: Machine): Capacity {
  const by: Capacity[] = [
    { engines: Math.max(1, hardwareConcurrency - 1), limit: 'processors' },
    { engines: Math.max(1, Math.floor((deviceMemory * SHARE) / ENGINE)), limit: 'memory' },
    { engines: MOST, limit: 'most' },
  ];
  return by.reduce((least, next) => (next.engines < least.engines ? next : least));
}
