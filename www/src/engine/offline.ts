/** Keeps the site for use without a network, after the first visit. */

/** Whether a service worker may run here: a site of its own, not a file, a sandbox or the single file. */
export function mayKeepOffline(scope: { origin: string; protocol: string; secure: boolean }): boolean {
  return !__SINGLE_FILE__ && scope.secure && scope.origin !== 'null' && /^https?:$/.test(scope.protocol);
}

/** Registers the service worker beside the page, where there may be one. Never throws: it is a convenience. */
export async function keepOffline(): Promise<boolean> {
  if (
    import.meta.env.DEV ||
    !mayKeepOffline({ origin: self.origin, protocol: location.protocol, secure: isSecureContext })
  ) {
    return false;
  }
  try {
    // Some embeds have no service workers, and some throw when they are named.
    await navigator.serviceWorker.register(new URL('sw.js', document.baseURI), { scope: './', updateViaCache: 'none' });
    return true;
  } catch {
    return false;
  }
}
