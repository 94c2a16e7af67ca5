// What a page is given of texts that come from files: a name of a megabyte would keep it laying out letters for a minute.
// Used in main where rows of the workspace become what the contract carries.

const longestName = 300
/** PATH_MAX of Linux; longer ones cannot be opened anyway. */
const longestPath = 4096

/** A name or a sentence, cut when it is longer than anybody reads. */
export function shownText(text: string, most = longestName): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`
}

export function shownPath(path: string): string {
  return shownText(path, longestPath)
}
