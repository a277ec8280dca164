import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admit, AnswerFailure, Endpoint } from '../admission/admit.ts';
import { DecisionTimeoutError } from '../admission/failure.ts';
import type { ReviewRecord } from '../admission/record.ts';
import { answerText } from '../admission/response.ts';
import { type AdmissionRequest, ReviewError, readReview } from '../admission/review.ts';
import { EnvelopeTooLargeError, type ParsedReview, parseReview } from '../admission/review-bytes.ts';
import { withDeadline } from '../deadline.ts';
import { JsonBytesError } from '../objects/json-bytes.ts';
import { checkBodyHeaders } from './body-headers.ts';
import { BodyReader } from './body-reader.ts';
import { BodyRoom } from './body-room.ts';
import type { Connections } from './connections.ts';
import { ClientGoneError, HttpError } from './http-error.ts';
import { type ReviewTimeout, ReviewTimeouts } from './review-timeout.ts';
import { ReviewTurns } from './review-turns.ts';
import type { ServerLimits } from './server-limits.ts';
import type { OnShortage } from './shortage.ts';

/** Where the server tells what became of each request. Exactly one call of `reviewed` follows each `reviewBegan`. */
export interface ReviewObserver {
  reviewBegan(): void;
  reviewed(record: ReviewRecord, durationSeconds: number): void;
  /** A request, or bytes that never became one, answered by an HTTP error. */
  refused(error: HttpError): void;
  /** A fault of the server's own, or a client that left: only for the log. */
  failed(error: unknown): void;
}

export interface ReviewHandlerOptions {
  readonly admit: Admit;
  readonly connections: Connections;
  readonly observer: ReviewObserver;
  readonly onShortage: OnShortage;
  readonly limits: Pick<ServerLimits, 'bodyLimitBytes' | 'bodyRoomBytes'>;
  readonly answerFailure: AnswerFailure;
}

/** A request with what is known of it before it is read. */
interface Exchange {
  readonly endpoint: Endpoint;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly arrivedAtMs: number;
  readonly timeout: ReviewTimeout;
}

/** What is wrong with a body that could not be parsed; never a part of it, which may hold a secret. */
function parseError(error: unknown): unknown {
  if (error instanceof EnvelopeTooLargeError) return new HttpError(413, error.message);
  if (error instanceof JsonBytesError) return new HttpError(400, 'the body is not JSON');
  if (!(error instanceof SyntaxError)) return error;
  // V8's message quotes the text around the fault; its position tells enough.
  const position = /position (\d+)/.exec(error.message)?.[1];
  return new HttpError(400, `the body is not JSON${position === undefined ? '' : ` (position ${position})`}`);
}

async function readRequest(body: Buffer): Promise<AdmissionRequest> {
  let parsed: ParsedReview;
  try {
    const parsing = parseReview(body);
    parsed = parsing instanceof Promise ? await parsing : parsing;
  } catch (error) {
    throw parseError(error);
  }
  try {
    return readReview(parsed.body, parsed);
  } catch (error) {
    throw error instanceof ReviewError ? new HttpError(400, error.message) : error;
  }
}

function expectsContinue(request: IncomingMessage): boolean {
  return request.headers.expect !== undefined && /(?:^|\W)100-continue(?:$|\W)/i.test(request.headers.expect);
}

/** Answers admission reviews: by HTTP 200 whatever becomes of a review, by a 4xx what is no review. */
export class ReviewHandler {
  readonly #options: ReviewHandlerOptions;
  readonly #timeouts = new ReviewTimeouts();
  readonly #room: BodyRoom;
  readonly #turns = new ReviewTurns();

  constructor(options: ReviewHandlerOptions) {
    this.#options = options;
    this.#room = new BodyRoom(options.limits.bodyRoomBytes);
  }

  /** Never rejects. */
  async handle(endpoint: Endpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const timeout = this.#timeouts.of(request.url ?? '');
    const exchange = { endpoint, request, response, arrivedAtMs: performance.now(), timeout };
    let reader: BodyReader | undefined;
    try {
      reader = this.#begin(exchange);
      const review = await this.#read(request, reader);
      await this.#answer(exchange, review);
    } catch (error) {
      this.#refuse(request, response, error);
    } finally {
      // What a parsed review holds is in use until it was answered.
      if (reader !== undefined) this.#room.leave(reader.stay);
    }
  }

  async #answer(exchange: Exchange, review: AdmissionRequest): Promise<void> {
    const { observer } = this.#options;
    observer.reviewBegan();
    const { payload, record } = await this.#decide(exchange, review);
    try {
      this.#send(exchange, payload);
    } catch (error) {
      observer.failed(error);
      exchange.response.destroy();
    } finally {
      observer.reviewed(record, (performance.now() - exchange.arrivedAtMs) / 1000);
    }
  }

  #begin({ request, response, timeout }: Exchange): BodyReader {
    const { limits, connections, onShortage } = this.#options;
    checkBodyHeaders(request, limits.bodyLimitBytes);
    if (expectsContinue(request)) response.writeContinue();
    return new BodyReader(request, {
      peer: connections.peerOf(request),
      limitBytes: limits.bodyLimitBytes,
      timeoutMs: timeout.decideMs,
      room: this.#room,
      onRead: connections.onRead(request),
      onShortage,
    });
  }

  async #read(request: IncomingMessage, reader: BodyReader): Promise<AdmissionRequest> {
    const connection = this.#options.connections.of(request);
    if (connection !== undefined) connection.reading = reader;
    try {
      const body = await reader.done;
      const turn = this.#turns.wait(reader.stay, body.length, reader.lost);
      if (turn !== undefined) await turn;
      try {
        reader.settle(body.length);
        return await readRequest(body);
      } finally {
        this.#turns.parsed(reader.stay);
      }
    } finally {
      reader.free();
      if (connection?.reading === reader) connection.reading = undefined;
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { connections, observer } = this.#options;
    if (error instanceof ClientGoneError) {
      observer.failed(error);
      return;
    }
    if (error instanceof HttpError) {
      connections.refuse(request, response, error);
      return;
    }
    observer.failed(error);
    connections.refuse(request, response, new HttpError(400, 'the body could not be read as an AdmissionReview'));
  }

  async #decide(
    { endpoint, arrivedAtMs, timeout }: Exchange,
    review: AdmissionRequest,
  ): Promise<{ readonly payload: string; readonly record: ReviewRecord }> {
    try {
      const decision = this.#options.admit(endpoint, review, arrivedAtMs + timeout.decideMs);
      const { response, record } =
        decision instanceof Promise
          ? await withDeadline(
              decision,
              arrivedAtMs + timeout.giveUpMs - performance.now(),
              () => new DecisionTimeoutError('the decision took longer than the timeout of the request'),
            )
          : decision;
      return { payload: answerText(response), record };
    } catch (error) {
      const { response, record } = this.#options.answerFailure(endpoint, review, error);
      return { payload: answerText(response), record };
    }
  }

  #send({ request, response }: Exchange, payload: string): void {
    const bytes = Buffer.byteLength(payload);
    const headers = ['Content-Type', 'application/json', 'Content-Length', String(bytes)];
    if (this.#options.connections.isLast(request, response)) headers.push('Connection', 'close');
    response.writeHead(200, headers);
    // A string goes out with the head in one write.
    // ASCII, as nearly all answers are, is written faster as what it is.
    response.end(payload, bytes === payload.length ? 'latin1' : 'utf8');
  }
}
