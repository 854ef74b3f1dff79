/** Hands a file to the visitor. */
export function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the address after this turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A file name from parts: letters, digits and dashes. */
export function fileName(parts: readonly string[], ending: string): string {
  const clean = parts.map((p) =>
    p
      .normalize('NFKD')
      .replaceAll(/[^\w.-]+/g, '-')
      .replaceAll(/^-+|-+$/g, ''),
  );
  return `${clean.filter(Boolean).join('_').toLowerCase()}${ending}`;
}
