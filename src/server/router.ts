import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import type { Endpoint } from '../admission/admit.ts';
import { endpoints } from '../admission/record.ts';

/** Calls back with an error, or with nothing where no route matches. */
export type Route = (request: IncomingMessage, response: ServerResponse, otherwise: (error?: unknown) => void) => void;

export interface Destinations {
  readonly review: (endpoint: Endpoint, request: IncomingMessage, response: ServerResponse) => void;
  /** The right path by a wrong method. */
  readonly wrongMethod: (request: IncomingMessage, response: ServerResponse) => void;
}

/** The routes of requests that are not as kube-apiserver sends them. */
export function createRouter({ review, wrongMethod }: Destinations): Route {
  const app = express();
  app.disable('x-powered-by').set('etag', false).enable('case sensitive routing').enable('strict routing');
  for (const endpoint of endpoints) {
    app.post(`/${endpoint}`, (request, response) => review(endpoint, request, response));
    app.all(`/${endpoint}`, wrongMethod);
  }
  return (request, response, otherwise) => Reflect.apply(app, undefined, [request, response, otherwise]);
}
