/** Units with a comma between, until they are as long as asked. */
export function repeatedText(length: number, unit: (index: number) => string): string {
  const units: string[] = [];
  for (let size = 0, index = 0; size < length; index++) {
    const text = unit(index);
    units.push(text);
    size += text.length + 1;
  }
  return units.join(',');
}
