/** What a reader meets: the text of each element, apart. */
export function wordsIn(node: Node | null): string {
  return textsIn(node).join(' ').replace(/\s+/g, ' ').trim();
}

function textsIn(node: Node | null): readonly string[] {
  if (node === null) return [];
  return node.nodeType === Node.TEXT_NODE ? [node.nodeValue ?? ''] : [...node.childNodes].flatMap(textsIn);
}
