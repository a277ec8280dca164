import { isJsonObject, type JsonObject, optionalString, requiredObject } from './json.ts';

export interface EnvVar {
  readonly name: string;
  /** Absent with `valueFrom`; the API reads an absent value without it as empty. */
  readonly value: string | undefined;
  readonly hasValueFrom: boolean;
  /** Its place in the list. */
  readonly index: number;
}

const none: readonly EnvVar[] = [];

/** `AWS_` in any case: Windows ignores it. */
function isAws(name: string): boolean {
  return name.length >= 4 && name[3] === '_' && name.slice(0, 3).toUpperCase() === 'AWS';
}

/** Whether an entry is as its API says, and no variable of AWS. */
function isOfNoInterest({ name, value }: JsonObject): boolean {
  return (
    typeof name === 'string' && !isAws(name) && (typeof value === 'string' || value === undefined || value === null)
  );
}

/**
 * The variables of a container whose names begin with `AWS_`, by name: a container may have thousands of others, which
 * nobody looks at twice.
 */
export class AwsVariables {
  static readonly none = new AwsVariables();
  readonly #byUpperCase = new Map<string, EnvVar[]>();

  /** Reads a list `env`. @throws {MalformedObjectError} */
  static read(env: readonly unknown[], path: string): AwsVariables {
    let variables: AwsVariables | undefined;
    for (let index = 0; index < env.length; index++) {
      const item = env[index];
      // Only a fault, and a variable of AWS, need their path.
      if (isJsonObject(item) && isOfNoInterest(item)) continue;
      const at = `${path}/env/${index}`;
      const variable = readVariable(requiredObject(item, at), at, index);
      if (!isAws(variable.name)) continue;
      variables ??= new AwsVariables();
      variables.#add(variable);
    }
    return variables ?? AwsVariables.none;
  }

  #add(variable: EnvVar): void {
    const key = variable.name.toUpperCase();
    const others = this.#byUpperCase.get(key);
    if (others === undefined) this.#byUpperCase.set(key, [variable]);
    else others.push(variable);
  }

  /**
   * Every occurrence of a variable: kubelet lets the last one win, but all of them are what the user wrote.
   * @param name in upper case.
   * @param ignoreCase as Windows does.
   */
  all(name: string, ignoreCase: boolean): readonly EnvVar[] {
    const spellings = this.#byUpperCase.get(name);
    if (spellings === undefined) return none;
    return ignoreCase || spellings.every(variable => variable.name === name)
      ? spellings
      : spellings.filter(variable => variable.name === name);
  }

  has(name: string, ignoreCase: boolean): boolean {
    const spellings = this.#byUpperCase.get(name);
    return spellings !== undefined && (ignoreCase || spellings.some(variable => variable.name === name));
  }

  /** The literal value that the last occurrence gives; undefined for none, and for one by `valueFrom`. */
  literal(name: string, ignoreCase: boolean): string | undefined {
    const last = this.all(name, ignoreCase).at(-1);
    return last === undefined || last.hasValueFrom ? undefined : (last.value ?? '');
  }

  /** How many entries after the last occurrence of a variable that of another one stands; NaN where either is absent. */
  #distance(from: string, to: string, ignoreCase: boolean): number {
    const [before, after] = [from, to].map(name => this.all(name, ignoreCase).at(-1)?.index ?? Number.NaN);
    return (after ?? Number.NaN) - (before ?? Number.NaN);
  }

  /** Whether a variable is the next entry after another one. */
  follows(name: string, other: string, ignoreCase: boolean): boolean {
    return this.#distance(other, name, ignoreCase) === 1;
  }

  /** Whether a variable stands somewhere after another one. */
  comesAfter(name: string, other: string, ignoreCase: boolean): boolean {
    return this.#distance(other, name, ignoreCase) > 0;
  }

  /** Occurrences of a variable in another case, which no program on Linux reads. */
  otherSpellings(name: string): readonly EnvVar[] {
    return this.#byUpperCase.get(name)?.filter(variable => variable.name !== name) ?? none;
  }
}

function readVariable(fields: JsonObject, at: string, index: number): EnvVar {
  return {
    name: optionalString(fields, 'name', at) ?? '',
    value: optionalString(fields, 'value', at),
    hasValueFrom: (fields['valueFrom'] ?? undefined) !== undefined,
    index,
  };
}
