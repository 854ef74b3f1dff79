/** A map in words, for those who cannot see it. */
import type { Formats, Messages } from './i18n/index.js';
import type { Evidence } from './maps.js';

export function inWords(evidence: Evidence | null, signed: boolean, t: Messages, f: Formats): string {
  const words = t.why.inWords;
  if (!evidence) return words.none;
  const parts = f.list(evidence.parts.map((p) => words.parts[p] ?? ''));
  const out = [words.most(f.percent(evidence.share), parts), words.peak(evidence.peak.x, evidence.peak.y)];
  if (!signed) out.push(words.unsigned);
  else if (evidence.negative > 0) out.push(words.negative(f.percent(evidence.negative)));
  return out.join(' ');
}
