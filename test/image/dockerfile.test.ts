import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DockerfileError, parseDockerfile, type Step } from '../../.ci/image/dockerfile.ts';
import { propertyRuns } from '../property-runs.ts';

/** The only step of a Dockerfile that has one, without its line. */
function stepOf(text: string): Omit<Step, 'line'> | undefined {
  const [step] = parseDockerfile(`FROM scratch AS first\nFROM scratch\n${text}\n`)[1]?.steps ?? [];
  if (step === undefined) return undefined;
  const { line: _, ...others } = step;
  return others;
}

describe('the Dockerfile of this repository', () => {
  test('is read whole: every instruction is a stage or a step at its line', async () => {
    const text = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8');
    const stages = parseDockerfile(text);
    const read = stages.flatMap(({ line, steps }) => [
      [line, 'FROM'],
      ...steps.map(step => [step.line, step.instruction]),
    ]);
    const written = text
      .split('\n')
      .flatMap((line, index) => (/^[A-Z]/.test(line) ? [[index + 1, line.split(' ')[0]]] : []));
    assert.deepEqual(read, written);
    assert.ok(written.length > 10);
  });

  test('has a stage that builds, and the image that takes its files', async () => {
    const text = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8');
    const [build, image, ...more] = parseDockerfile(text);
    assert.deepEqual(more, []);
    assert.equal(build?.platform, '$BUILDPLATFORM');
    assert.ok(image?.steps.some(step => step.instruction === 'COPY' && step.from === build?.name));
    // Neither `latest`, which is root's, nor `debug`, which has a shell.
    assert.match(image?.base ?? '', /^gcr\.io\/distroless\/nodejs\d+-debian\d+:nonroot(?:@sha256:[0-9a-f]{64})?$/);
    const entryPoints = image?.steps.flatMap(step => (step.instruction === 'ENTRYPOINT' ? [step.words] : []));
    assert.deepEqual(entryPoints?.[0], ['/nodejs/bin/node', '/carm-webhook/carm-webhook.mjs']);
  });
});

describe('a stage', () => {
  for (const [text, stage] of [
    ['FROM scratch', { base: 'scratch' }],
    ['from a.b/c:1 as Build', { base: 'a.b/c:1', name: 'build' }],
    ['FROM --platform=linux/arm64 x AS y', { platform: 'linux/arm64', base: 'x', name: 'y' }],
  ] as const) {
    test(text, () => assert.deepEqual(parseDockerfile(text), [{ line: 1, steps: [], ...stage }]));
  }
});

describe('a step', () => {
  for (const [text, step] of [
    ['WORKDIR /a/b', { instruction: 'WORKDIR', path: '/a/b' }],
    ['COPY a ./', { instruction: 'COPY', sources: ['a'], destination: './' }],
    ['COPY a b c/', { instruction: 'COPY', sources: ['a', 'b'], destination: 'c/' }],
    ['COPY --from=First /a b', { instruction: 'COPY', from: 'first', sources: ['/a'], destination: 'b' }],
    ['RUN npm ci  --x=y && z', { instruction: 'RUN', command: 'npm ci  --x=y && z' }],
    ['RUN npm \\\n  # why\n\n  ci', { instruction: 'RUN', command: 'npm   ci' }],
    ['  RUN np\\  \nm', { instruction: 'RUN', command: 'npm' }],
    [
      'ENV A=1 B="2 3" C=\'4 "5"\' D=',
      { instruction: 'ENV', variables: new Map(Object.entries({ A: '1', B: '2 3', C: '4 "5"', D: '' })) },
    ],
    ['ENV A=b=c', { instruction: 'ENV', variables: new Map([['A', 'b=c']]) }],
    ['user 1:2', { instruction: 'USER', user: '1:2' }],
    ['EXPOSE 1 2/udp', { instruction: 'EXPOSE', ports: ['1', '2/udp'] }],
    ['ENTRYPOINT ["/a", "b c"]', { instruction: 'ENTRYPOINT', words: ['/a', 'b c'] }],
    ['CMD [ "$x" ]', { instruction: 'CMD', words: ['$x'] }],
    ['# ADD a b', undefined],
  ] as const) {
    test(JSON.stringify(text), () => assert.deepEqual(stepOf(text), step));
  }

  const name = fc.stringMatching(/^[A-Za-z_]\w{0,8}$/);
  const value = fc.stringMatching(/^[\w ./:=#,@-]{0,12}$/);
  const gap = fc.constantFrom(' ', '  ', ' \\\n ', ' \\\n# a comment \\\n\t', ' \\  \n\n');

  test('sets any variables, however they are spread over lines', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value, gap, fc.constantFrom('"', "'", '')), { minLength: 1 }), words => {
        const quoted = words.map(([key, text, space, quote]) => {
          const needed = quote === '' && /\s/.test(text) ? '"' : quote;
          return `${space}${key}=${needed}${text}${needed}`;
        });
        assert.deepEqual(stepOf(`ENV${quoted.join('')}`), {
          instruction: 'ENV',
          variables: new Map(words.map(([key, text]) => [key, text])),
        });
      }),
      { numRuns: propertyRuns(200) },
    );
  });
});

describe('what is not understood is an error that names line and instruction', () => {
  for (const [text, line, instruction] of [
    ['', 1, 'FROM'],
    ['# FROM scratch', 1, 'FROM'],
    ['WORKDIR /a\nFROM scratch', 1, 'WORKDIR'],
    ['FROM', 1, 'FROM'],
    ['FROM a b', 1, 'FROM'],
    ['FROM a AS', 1, 'FROM'],
    ['FROM a AS b c', 1, 'FROM'],
    ['FROM $BASE', 1, 'FROM'],
    ['FROM --pull=always a', 1, 'FROM'],
    ['FROM a AS x\nFROM b AS X', 2, 'FROM'],
    ['# escape=`\nFROM a', 1, '# escape'],
    ['FROM a\nADD a b', 2, 'ADD'],
    ['FROM a\nARG A=1', 2, 'ARG'],
    ['FROM a\nLABEL a=b', 2, 'LABEL'],
    ['FROM a\nHEALTHCHECK NONE', 2, 'HEALTHCHECK'],
    ['FROM a\n\n# a comment\nVOLUME /a', 4, 'VOLUME'],
    ['FROM a\nRUN a \\\n  b\nSHELL ["a"]', 4, 'SHELL'],
    ['FROM a\nWORKDIR', 2, 'WORKDIR'],
    ['FROM a\nWORKDIR /a b', 2, 'WORKDIR'],
    ['FROM a\nWORKDIR $HOME', 2, 'WORKDIR'],
    ['FROM a\nCOPY a', 2, 'COPY'],
    ['FROM a\nCOPY a b c', 2, 'COPY'],
    ['FROM a\nCOPY *.ts ./', 2, 'COPY'],
    ['FROM a\nCOPY ["a", "b"]', 2, 'COPY'],
    ['FROM a\nCOPY <<END b', 2, 'COPY'],
    ['FROM a\nCOPY --chown=1 a b', 2, 'COPY'],
    ['FROM a\nCOPY --link a b', 2, 'COPY'],
    ['FROM a\nCOPY --from=b a b', 2, 'COPY'],
    ['FROM a AS b\nCOPY --from=b a b', 2, 'COPY'],
    ['FROM a AS b\nFROM c\nCOPY --from=b --from=b a b', 3, 'COPY'],
    ['FROM a\nRUN', 2, 'RUN'],
    ['FROM a\nRUN ["a"]', 2, 'RUN'],
    ['FROM a\nRUN --mount=type=cache a', 2, 'RUN'],
    ['FROM a\nRUN cat <<END', 2, 'RUN'],
    ['FROM a\nRUN a \\', 2, 'RUN'],
    ['FROM a\nENV', 2, 'ENV'],
    ['FROM a\nENV A b', 2, 'ENV'],
    ['FROM a\nENV A=1 B', 2, 'ENV'],
    ['FROM a\nENV A=$B', 2, 'ENV'],
    ['FROM a\nENV A="1', 2, 'ENV'],
    ['FROM a\nENV A="1"2', 2, 'ENV'],
    ['FROM a\nUSER', 2, 'USER'],
    ['FROM a\nEXPOSE', 2, 'EXPOSE'],
    ['FROM a\nEXPOSE 1-2', 2, 'EXPOSE'],
    ['FROM a\nENTRYPOINT a b', 2, 'ENTRYPOINT'],
    ['FROM a\nENTRYPOINT []', 2, 'ENTRYPOINT'],
    ['FROM a\nCMD [1]', 2, 'CMD'],
    ['FROM a\nCMD {"a": 1}', 2, 'CMD'],
  ] as const) {
    test(JSON.stringify(text), () => assertRefused(text, line, instruction));
  }

  const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD'];
  const word = fc.stringMatching(/^[A-Za-z]{1,12}$/).filter(each => !known.includes(each.toUpperCase()));

  test('any word that is no known instruction, wherever it stands', () => {
    fc.assert(
      fc.property(word, fc.array(fc.constantFrom('USER 1', '# comment', '', 'ENV A=1')), (unknown, before) => {
        assertRefused(['FROM a', ...before, `${unknown} x`].join('\n'), before.length + 2, unknown.toUpperCase());
      }),
      { numRuns: propertyRuns(200) },
    );
  });
});

function assertRefused(text: string, line: number, instruction: string): void {
  assert.throws(
    () => parseDockerfile(text),
    error => {
      assert.ok(error instanceof DockerfileError);
      assert.deepEqual([error.code, error.line, error.instruction], ['InvalidDockerfile', line, instruction]);
      assert.ok(error.message.startsWith(`Dockerfile:${line}: ${instruction}: `));
      return true;
    },
  );
}
