// A wallet built on Credo: its agent, its protocols, its records, and its rules on what it accepts.
//
// An agent needs storage and keys; Credo's own come with native libraries. Both are written here for its public
// interfaces, in memory and over node:crypto.
import 'reflect-metadata';
import {
  Agent, DidDocument, DidsModule, InjectionSymbols, JsonTransformer, JwkDidResolver, KeyDidResolver, Kms,
  RecordDuplicateError, RecordNotFoundError, SdJwtVcService, W3cJsonLdVerifiableCredential,
  W3cJwtVerifiableCredential, W3cV2JwtVerifiableCredential
} from '@credo-ts/core';
import {OpenId4VcModule} from '@credo-ts/openid4vc';
import {EventEmitter} from 'node:events';
import * as crypto from 'node:crypto';

const CLIENT = 'portefeuille-credo';
const BITS = {A128GCM: 128, A256GCM: 256};

class Storage {
  supportsCursorPagination = false;
  held = new Map();

  async save(_agent, record) {
    if(this.held.has(nameOf(record.type, record.id))) {
      throw new RecordDuplicateError(`there is a ${record.type} ${record.id}`, {recordType: record.type});
    }
    this.held.set(nameOf(record.type, record.id), record.clone());
  }

  async update(_agent, record) {
    this.found(record.type, record.id);
    this.held.set(nameOf(record.type, record.id), record.clone());
  }

  async delete(agent, record) {
    await this.deleteById(agent, record, record.id);
  }

  async deleteById(_agent, {type}, id) {
    this.found(type, id);
    this.held.delete(nameOf(type, id));
  }

  async getById(_agent, {type}, id) {
    return this.found(type, id).clone();
  }

  async getAll(agent, kind) {
    return this.findByQuery(agent, kind, {});
  }

  async findByQuery(_agent, {type}, query, {offset = 0, limit} = {}) {
    const all = [...this.held.values()].filter(each => each.type === type && isMatch(each.getTags(), query));
    return all.slice(offset, limit === undefined ? undefined : offset + limit).map(each => each.clone());
  }

  found(type, id) {
    const record = this.held.get(nameOf(type, id));
    if(!record) {
      throw new RecordNotFoundError(`there is no ${type} ${id}`, {recordType: type});
    }
    return record;
  }
}

function nameOf(type, id) {
  return `${type} ${id}`;
}

// A tag with several values matches if it has those that are asked for.
function isMatch(tags, {$and = [], $or, $not, ...wanted}) {
  return Object.entries(wanted).every(([name, value]) =>
    value === undefined || (Array.isArray(value) ? value.every(each => tags[name]?.includes(each)) : tags[name] === value)
  ) && $and.every(each => isMatch(tags, each)) && (!$or || $or.some(each => isMatch(tags, each))) &&
    !($not && isMatch(tags, $not));
}

class Keys {
  backend = 'node';
  held = new Map();

  isOperationSupported(_agent, {operation, type, algorithm, encryption, decryption, keyAgreement}) {
    if(operation === 'createKey') {
      return ['P-256', 'Ed25519'].includes(type.crv);
    }
    if(operation === 'sign' || operation === 'verify') {
      return ['ES256', 'EdDSA'].includes(algorithm);
    }
    if(operation === 'encrypt' || operation === 'decrypt') {
      return (encryption ?? decryption).algorithm in BITS && keyAgreement?.algorithm === 'ECDH-ES';
    }
    return ['deleteKey', 'randomBytes'].includes(operation);
  }

  async getPublicKey(_agent, keyId) {
    const key = this.held.get(keyId);
    return key ? {...crypto.createPublicKey(key).export({format: 'jwk'}), kid: keyId} : null;
  }

  async createKey(agent, {keyId = crypto.randomUUID(), type}) {
    const made = type.crv === 'Ed25519' ? crypto.generateKeyPairSync('ed25519') :
      crypto.generateKeyPairSync('ec', {namedCurve: type.crv});
    this.held.set(keyId, made.privateKey);
    return {keyId, publicJwk: await this.getPublicKey(agent, keyId)};
  }

  async deleteKey(_agent, {keyId}) {
    return this.held.delete(keyId);
  }

  async sign(_agent, {keyId, algorithm, data}) {
    const key = {key: this.held.get(keyId), dsaEncoding: 'ieee-p1363'};
    return {signature: new Uint8Array(crypto.sign(algorithm === 'ES256' ? 'sha256' : null, data, key))};
  }

  async verify(_agent, {key, algorithm, data, signature}) {
    const publicJwk = key.publicJwk ?? await this.getPublicKey(_agent, key.keyId);
    const opened = {key: crypto.createPublicKey({key: publicJwk, format: 'jwk'}), dsaEncoding: 'ieee-p1363'};
    const verified = crypto.verify(algorithm === 'ES256' ? 'sha256' : null, data, opened, signature);
    return verified ? {verified, publicJwk} : {verified};
  }

  async encrypt(_agent, {key: {keyAgreement}, encryption: {algorithm, aad}, data}) {
    const iv = crypto.randomBytes(12);
    const cipher = crypto.createCipheriv(`aes-${BITS[algorithm]}-gcm`, this.agreed(keyAgreement, algorithm), iv);
    cipher.setAAD(aad);
    const encrypted = Buffer.concat([cipher.update(data), cipher.final()]);
    return {encrypted, iv, tag: cipher.getAuthTag()};
  }

  async decrypt(_agent, {key: {keyAgreement}, decryption: {algorithm, aad, iv, tag}, encrypted}) {
    const cipher = crypto.createDecipheriv(`aes-${BITS[algorithm]}-gcm`, this.agreed(keyAgreement, algorithm), iv);
    cipher.setAAD(aad).setAuthTag(tag);
    return {data: Buffer.concat([cipher.update(encrypted), cipher.final()])};
  }

  randomBytes(_agent, {length}) {
    return new Uint8Array(crypto.randomBytes(length));
  }

  // Direct key agreement of RFC 7518, section 4.6.2: one round of the key derivation is enough for 256 bits.
  agreed({keyId, externalPublicJwk, apu = [], apv = []}, algorithm) {
    const secret = crypto.diffieHellman({
      privateKey: this.held.get(keyId), publicKey: crypto.createPublicKey({key: externalPublicJwk, format: 'jwk'})
    });
    const about = [Buffer.from(algorithm), apu, apv].flatMap(each => [lengthOf(each.length), each]);
    const hash = crypto.createHash('sha256');
    [lengthOf(1), secret, ...about, lengthOf(BITS[algorithm])].forEach(each => hash.update(Buffer.from(each)));
    return hash.digest().subarray(0, BITS[algorithm] / 8);
  }
}

function lengthOf(number) {
  const written = Buffer.alloc(4);
  written.writeUInt32BE(number);
  return written;
}

// did:web, as Credo's resolver has it, but over http: the server of the tests has no certificate.
class WebDids {
  supportedMethods = ['web'];
  allowsCaching = false;
  allowsLocalDidRecord = false;

  async resolve(_agent, did) {
    const [host, ...path] = did.slice('did:web:'.length).split(':').map(decodeURIComponent);
    const answer = await fetch(`http://${host}/${path.length ? path.join('/') : '.well-known'}/did.json`);
    const didDocument = JsonTransformer.fromJSON(await answer.json(), DidDocument);
    return {didDocument, didDocumentMetadata: {}, didResolutionMetadata: {}};
  }
}

// No operation here reads or writes a file.
class Files {}

async function newAgent({knowsIssuersByMetadata}) {
  const storage = {register: known => known.registerInstance(InjectionSymbols.StorageService, new Storage())};
  const agent = new Agent({
    config: {allowInsecureHttpUrls: true, autoUpdateStorageOnStartup: true},
    dependencies: {FileSystem: Files, EventEmitterClass: EventEmitter, fetch, WebSocketClass: class {}},
    modules: {
      storage,
      kms: new Kms.KeyManagementModule({backends: [new Keys()]}),
      dids: new DidsModule({resolvers: [new WebDids(), new KeyDidResolver(), new JwkDidResolver()]}),
      openid4vc: new OpenId4VcModule()
    }
  });
  await agent.initialize();
  if(knowsIssuersByMetadata) {
    readIssuerMetadata(agent.dependencyManager.resolve(SdJwtVcService));
  }
  return agent;
}

// Credo knows the issuer of an SD-JWT VC by DID or certificate; ours has metadata (SD-JWT VC, section 5).
function readIssuerMetadata(service) {
  service.parseIssuerFromCredential = async (_agent, {jwt: {header, payload: {iss}}}) => {
    const {origin, pathname} = new URL(iss);
    const {issuer, jwks} = await (await fetch(`${origin}/.well-known/jwt-vc-issuer${pathname}`)).json();
    const jwk = issuer === iss && jwks.keys.find(each => each.kid === header.kid);
    if(!jwk) {
      throw new Error('no key of this issuer');
    }
    return {iss, jwk};
  };
  service.extractKeyFromIssuer = async (_agent, {iss, jwk}) => {
    const publicJwk = Kms.PublicJwk.fromUnknown(jwk);
    return {iss, publicJwk, alg: publicJwk.supportedSignatureAlgorithms[0]};
  };
}

let agent, started;

export const operations = {
  // An empty wallet.
  async credoWallet(options) {
    agent = await newAgent(options);
  },

  async credoReceive({offer, txCode, ...wanted}) {
    const resolved = await agent.openid4vc.holder.resolveCredentialOffer(offer);
    const token = await agent.openid4vc.holder.requestToken({resolvedCredentialOffer: resolved, txCode});
    return received(resolved, token, wanted);
  },

  // By authorization code: a pushed request with PKCE and DPoP, and the address that it opens in a browser.
  async credoStart({offer, redirect}) {
    const resolved = await agent.openid4vc.holder.resolveCredentialOffer(offer);
    const request = await agent.openid4vc.holder.resolveOpenId4VciAuthorizationRequest(
      resolved, {clientId: CLIENT, redirectUri: redirect}
    );
    started = {resolved, redirect, ...request};
    return {url: request.authorizationRequestUrl};
  },

  async credoFinish({url, ...wanted}) {
    const {holder} = agent.openid4vc;
    const {resolved, redirect, codeVerifier, dpop} = started;
    const {authorizationCode} = holder.parseAuthorizationCodeFromAuthorizationResponse(
      {resolvedCredentialOffer: resolved, authorizationResponseRedirectUrl: url}
    );
    const token = await holder.requestToken({
      resolvedCredentialOffer: resolved, code: authorizationCode, codeVerifier, redirectUri: redirect,
      clientId: CLIENT, dpop
    });
    return received(resolved, token, {...wanted, clientId: CLIENT});
  },

  // The badge again, as it is now, with the refresh token of the last one.
  async credoRefresh(wanted) {
    const {resolved, token, clientId} = started;
    const again = await agent.openid4vc.holder.refreshToken({
      issuerMetadata: resolved.metadata, refreshToken: token.refreshToken, dpop: token.dpop, clientId
    });
    return received(resolved, again, {...wanted, clientId});
  },

  async credoHeld() {
    return (await agent.sdJwtVc.getAll()).map(each => ({
      texts: each.credentialInstances.map(instance => instance.compactSdJwtVc), type: each.getTags().vct
    }));
  },

  // As often as it looks after its badges: signature, end, and the list of the status.
  async credoCheck() {
    const [held] = await agent.sdJwtVc.getAll();
    const {isValid, error} = await agent.sdJwtVc.verify({compactSdJwtVc: held.encoded});
    return {isValid, error: error?.message ?? null};
  },

  // What its own classes say of a badge; null where they read it.
  async credoReads({kind, badge}) {
    const readers = {
      ldp_vc: () => W3cJsonLdVerifiableCredential.fromJson(badge),
      jwt_vc_json: () => W3cJwtVerifiableCredential.fromSerializedJwt(badge),
      'vc+jwt': () => W3cV2JwtVerifiableCredential.fromCompact(badge)
    };
    try {
      readers[kind]();
      return null;
    } catch(error) {
      return error.message;
    }
  },

  // To who asks: the request as it was resolved, and what became of the answer.
  async credoPresent({link}) {
    const {holder} = agent.openid4vc;
    const resolved = await holder.resolveOpenId4VpAuthorizationRequest(link);
    const {queryResult} = resolved.dcql;
    if(!queryResult.can_be_satisfied) {
      return {satisfied: false};
    }
    const {ok, serverResponse} = await holder.acceptOpenId4VpAuthorizationRequest({
      authorizationRequestPayload: resolved.authorizationRequestPayload,
      dcql: {credentials: holder.selectCredentialsForDcqlRequest(queryResult)}
    });
    return {
      satisfied: true,
      ok,
      status: serverResponse.status,
      verifier: resolved.verifier.clientIdPrefix,
      asker: resolved.authorizationRequestPayload.client_metadata.client_name
    };
  }
};

async function received(resolved, token, {clientId, keys = 1, curve = 'P-256', asIfBound = false}) {
  const {holder} = agent.openid4vc;
  const [configuration] = Object.values(resolved.offeredCredentialConfigurations);
  if(asIfBound) {
    // The stored forms are bound to no key, and the metadata say so.
    const algorithms = ['EdDSA', 'Ed25519Signature2018'];
    configuration.proof_types_supported ??= {jwt: {proof_signing_alg_values_supported: algorithms}};
    configuration.cryptographic_binding_methods_supported ??= ['did:key'];
  }
  started = {resolved, token, clientId};
  const {credentials, deferredCredentials} = await holder.requestCredentials({
    resolvedCredentialOffer: resolved,
    ...token,
    clientId,
    credentialBindingResolver: async ({supportsJwk}) => supportsJwk ?
      {method: 'jwk', keys: await newKeys(keys, curve)} : {method: 'did', didUrls: [await newDid(curve)]}
  });
  const [got] = credentials;
  await holder.sendNotification({
    metadata: resolved.metadata,
    accessToken: token.accessToken,
    dpop: token.dpop,
    notificationId: got.notificationId,
    notificationEvent: 'credential_accepted'
  });
  await agent.sdJwtVc.store({record: got.record});
  return {
    format: got.credentialConfiguration.format,
    tokenType: token.accessTokenResponse?.token_type,
    texts: got.record.credentialInstances.map(each => each.compactSdJwtVc),
    deferred: deferredCredentials.length
  };
}

async function newDid(curve) {
  const [{keyId}] = await newKeys(1, curve);
  const {didState} = await agent.dids.create({method: 'key', options: {keyId}});
  return didState.didDocument.verificationMethod[0].id;
}

async function newKeys(number, curve) {
  const type = curve === 'Ed25519' ? {kty: 'OKP', crv: curve} : {kty: 'EC', crv: curve};
  const made = await Promise.all(Array.from({length: number}, () => agent.kms.createKey({type})));
  return made.map(({publicJwk}) => Kms.PublicJwk.fromPublicJwk(publicJwk));
}
