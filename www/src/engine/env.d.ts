/** Set by the build: whether this is the single file. */
declare const __SINGLE_FILE__: boolean;
/** Set by the build: the way from this piece of code to the site's root. */
declare const __SITE_ROOT__: string;
