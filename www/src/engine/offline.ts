/** Keeps the site for use without a network, after the first visit. */
import * as source from '#asset-source';

/** Whether a service worker may run here: on the site's own pages; not on a file, in a sandbox or in another site. */
export function mayKeepOffline(page: { href: string; origin: string; secure: boolean }, root: URL | null): boolean {
  return (
    page.secure &&
    page.origin !== 'null' &&
    root !== null &&
    /^https?:/.test(root.href) &&
    page.href.startsWith(root.href)
  );
}

/** Registers the site's service worker, where there may be one. Never throws: it is a convenience. */
export async function registerOffline(root: URL | null = source.root): Promise<boolean> {
  const page = { href: location.href, origin: self.origin, secure: isSecureContext };
  if (import.meta.env.DEV || root === null || !mayKeepOffline(page, root)) return false;
  try {
    // Some embeds have no service workers, and some throw when they are named.
    await navigator.serviceWorker.register(new URL('sw.js', root), { scope: root.pathname, updateViaCache: 'none' });
    return true;
  } catch {
    return false;
  }
}
