import { longestQuote, quote } from './quote.ts';

/** A name that a reader takes for a field, and not for a key of a map or a place in a list. */
const fieldName = /^[A-Za-z_$][A-Za-z0-9_-]*$/;

const cutMark = '...';
const room = longestQuote - 2;

/** One step of a path. Keys may be megabytes long. */
function stepOf(segment: string): string {
  const key = segment
    .slice(0, 2 * room)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  return fieldName.test(key) ? `.${key}` : `[${key}]`;
}

/**
 * A JSON Pointer as users write fields, quoted: `"spec.containers[0].env[1].value"`, `"metadata.annotations[example.com/key]"`.
 * Kubernetes writes them so in its own errors. Of a long path the end stays, which says most.
 * https://github.com/kubernetes/apimachinery/blob/master/pkg/util/validation/field/path.go
 */
export function quoteField(pointer: string): string {
  const steps = pointer.split('/').slice(1);
  let path = '';
  for (const [index, segment] of steps.reverse().entries()) {
    const longer = stepOf(segment) + path;
    const isWhole = index === steps.length - 1;
    if (path !== '' && longer.length + (isWhole ? 0 : cutMark.length) > room)
      return quote(cutMark + path.replace(/^\./, ''));
    path = longer;
  }
  return quote(path.replace(/^\./, ''));
}
