// Other people's implementations behind one pipe: a JSON job per line in, a JSON answer per line out.
import * as ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {getListFromStatusListJWT} from '@sd-jwt/jwt-status-list';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';
import * as jose from 'jose';
import jsonld from 'jsonld';
import * as rdfCanonize from 'rdf-canonize';
import {createHash, randomBytes} from 'node:crypto';
import {createInterface} from 'node:readline';

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

  async verifySdJwt({text, jwk, list, listJwk, at, nonce}) {
    const instance = sdJwt({jwk, list, listJwk});
    try {
      const options = {currentDate: at, ...(nonce ? {keyBindingNonce: nonce} : {})};
      const {payload, kb} = await instance.verify(text, options);
      return {verified: true, payload, bound: kb?.payload ?? null};
    } catch(error) {
      return {verified: false, error: error.message};
    }
  },

  async issueSdJwt({claims, frame, jwk, alg}) {
    return sdJwt({signJwk: jwk, alg}).issue(claims, frame);
  },

  async presentSdJwt({text, frame, holder, binding}) {
    return sdJwt({holder}).present(text, frame, {kb: {payload: binding}});
  },

  async readStatusList({token}) {
    const list = getListFromStatusListJWT(token);
    return list.statusList.reduce((raised, status, index) => status ? [...raised, index] : raised, []);
  },

  async time({job, times}) {
    const {operation, ...rest} = job;
    const begun = process.hrtime.bigint();
    for(let turn = 0; turn < times; turn++) {
      await operations[operation](rest);
    }
    return Number(process.hrtime.bigint() - begun) / 1000 / times;
  }
};

// An SD-JWT VC implementation of the OpenWallet Foundation, with keys of Panva's jose.
function sdJwt({jwk, list, listJwk, signJwk, alg = 'EdDSA', holder}) {
  const check = async (data, signature, key) => {
    const header = jose.decodeProtectedHeader(`${data}.${signature}`);
    await jose.compactVerify(`${data}.${signature}`, await jose.importJWK(key, header.alg));
    return true;
  };
  const sign = key => async data => {
    const header = JSON.parse(Buffer.from(data.split('.')[0], 'base64url'));
    const signer = new jose.CompactSign(Buffer.from(data.split('.')[1], 'base64url')).setProtectedHeader(header);
    return (await signer.sign(await jose.importJWK(key, header.alg))).split('.')[2];
  };
  return new SDJwtVcInstance({
    hasher: data => createHash('sha256').update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
    hashAlg: 'sha-256',
    saltGenerator: length => randomBytes(length).toString('base64url'),
    verifier: (data, signature) => check(data, signature, jwk),
    statusListFetcher: async () => list,
    statusVerifier: (data, signature) => check(data, signature, listJwk),
    ...(signJwk && {signer: sign(signJwk), signAlg: alg}),
    ...(holder && {kbSigner: sign(holder), kbSignAlg: 'ES256'}),
    kbVerifier: (data, signature, payload) => check(data, signature, payload.cnf.jwk)
  });
}

function reasonOf(error) {
  return [error, ...(error?.errors ?? [])].filter(Boolean).map(each => each.message).join('; ');
}

for await (const line of createInterface({input: process.stdin})) {
  const {operation, ...job} = JSON.parse(line);
  let answer;
  try {
    answer = {result: await operations[operation](job)};
  } catch(error) {
    answer = {error: reasonOf(error)};
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
