import { createHash } from 'node:crypto';

/** What the three builds may do. Nothing reaches another host; `wasm-unsafe-eval` compiles WebAssembly and no more. */
export type Build = 'site' | 'single' | 'bench';

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The inline elements `tag` that the browser would execute or apply, exactly as it hashes them. */
function inline(html: string, tag: 'script' | 'style'): string[] {
  const found = [...html.matchAll(new RegExp(`<${tag}\\b([^>]*)>([\\s\\S]*?)</${tag}>`, 'g'))];
  return found
    .filter(([, at = '']) => !/\bsrc=|type="text\/plain"|type="application\/(ld\+)?json"/.test(at))
    .map((m) => m[2] ?? '');
}

/** Adds the policy to `html`, as its first element. Inline code is allowed by its hash alone. */
export function withPolicy(html: string, build: Build): string {
  const own = build === 'single' ? [] : ["'self'"];
  const none = (sources: string[]) => (sources.length > 0 ? sources.join(' ') : "'none'");
  const policy = [
    "default-src 'none'",
    `script-src ${[...own, "'wasm-unsafe-eval'", ...inline(html, 'script').map(digest)].join(' ')}`,
    // 'self' is for the service worker; engines start from blobs.
    `worker-src ${[...own, 'blob:'].join(' ')}`,
    `connect-src ${none(own)}`,
    `img-src ${[...own, 'blob:', 'data:'].join(' ')}`,
    `style-src ${none([...own, ...inline(html, 'style').map(digest)])}`,
    `font-src ${none(own)}`,
    `manifest-src ${none(own)}`,
    ...(html.includes('<iframe') ? ["frame-src 'self'"] : []),
    'media-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}" />`;
  return html.replace(/<meta charset=[^>]*>/i, (charset) => `${charset}\n    ${meta}`);
}
