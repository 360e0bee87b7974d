// Other people's implementations behind one pipe: a JSON job per line in, a JSON answer per line out.
import * as ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as jose from 'jose';
import jsonld from 'jsonld';
import * as rdfCanonize from 'rdf-canonize';
import {createInterface} from 'node:readline';
import {operationsWith} from './disclosure.mjs';
import {operations as walletOperations} from './wallet.mjs';

const documents = new Map();

async function documentLoader(url) {
  if(!documents.has(url)) {
    throw new Error(`not at hand: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document: documents.get(url)};
}

const operations = {
  async documents({held}) {
    for(const [url, document] of Object.entries(held)) {
      documents.set(url, document);
    }
    return documents.size;
  },

  async canonize({document}) {
    const dataset = await jsonld.toRDF(document, {documentLoader, safe: true, rdfDirection: null, base: null});
    return rdfCanonize.canonize(dataset, {algorithm: 'RDFC-1.0', format: 'application/n-quads'});
  },

  async generate({controller}) {
    const key = await ed25519Multikey.generate({controller});
    return key.export({publicKey: true, secretKey: true, includeContext: true});
  },

  async signDataIntegrity({credential, key, created}) {
    const signer = (await ed25519Multikey.from(key)).signer();
    const suite = new DataIntegrityProof({signer, cryptosuite, date: created});
    return vc.issue({credential, suite, documentLoader, now: created});
  },

  async signPresentation({credential, key, challenge, domain, created}) {
    const pair = await ed25519Multikey.from(key);
    const suite = new DataIntegrityProof({signer: pair.signer(), cryptosuite, date: created});
    const presentation = vc.createPresentation({
      verifiableCredential: credential, holder: pair.controller, now: created, verify: false
    });
    return vc.signPresentation({presentation, suite, challenge, domain, documentLoader});
  },

  async verifyDataIntegrity({credential, at}) {
    const suite = new DataIntegrityProof({cryptosuite});
    const checkStatus = async () => ({verified: true});
    const answer = await vc.verifyCredential({credential, suite, documentLoader, checkStatus, now: at});
    return {verified: answer.verified, error: answer.verified ? null : reasonOf(answer.error)};
  },

  async signJwt({payload, header, jwk}) {
    return new jose.SignJWT(payload).setProtectedHeader(header).sign(await jose.importJWK(jwk, header.alg));
  },

  async verifyJwt({token, jwk, at}) {
    const key = await jose.importJWK(jwk, jose.decodeProtectedHeader(token).alg);
    try {
      const {payload} = await jose.jwtVerify(token, key, {currentDate: at ? new Date(at) : undefined});
      return {verified: true, payload};
    } catch(error) {
      return {verified: false, error: error.code};
    }
  },

  ...walletOperations,
  ...operationsWith(documentLoader, reasonOf),

  async time({job, times}) {
    const {operation, ...rest} = job;
    const begun = process.hrtime.bigint();
    for(let turn = 0; turn < times; turn++) {
      await operations[operation](rest);
    }
    return Number(process.hrtime.bigint() - begun) / 1000 / times;
  }
};

function reasonOf(error) {
  return [error, ...(error?.errors ?? [])].filter(Boolean).map(each => each.message).join('; ');
}

for await (const line of createInterface({input: process.stdin})) {
  const {operation, ...job} = JSON.parse(line);
  let answer;
  try {
    // Credo is large: only its own operations wait for it.
    const called = operations[operation] ?? (await import('./credo.mjs')).operations[operation];
    answer = {result: await called(job)};
  } catch(error) {
    answer = {error: reasonOf(error)};
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
