// Selective disclosure by Digital Bazaar: base proofs, derived proofs and their verification (ecdsa-sd-2023).
import * as ecdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as suites from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';

const {createDiscloseCryptosuite, createSignCryptosuite, createVerifyCryptosuite} = suites;

export const operationsWith = (documentLoader, reasonOf) => ({
  async generateP256({controller}) {
    const key = await ecdsaMultikey.generate({curve: 'P-256', controller});
    key.id = `${controller}#${key.publicKeyMultibase}`;
    return key.export({publicKey: true, secretKey: true, includeContext: true});
  },

  async addBaseProof({credential, key, mandatoryPointers, created}) {
    const signer = (await ecdsaMultikey.from(key)).signer();
    const cryptosuite = createSignCryptosuite({mandatoryPointers});
    const suite = new DataIntegrityProof({signer, cryptosuite, date: created});
    return vc.issue({credential, suite, documentLoader, now: created});
  },

  async deriveProof({credential, selectivePointers}) {
    const suite = new DataIntegrityProof({cryptosuite: createDiscloseCryptosuite({selectivePointers})});
    return vc.derive({verifiableCredential: credential, suite, documentLoader});
  },

  async verifyDerivedProof({credential, at}) {
    const suite = new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()});
    const checkStatus = async () => ({verified: true});
    const answer = await vc.verifyCredential({credential, suite, documentLoader, checkStatus, now: at});
    return {verified: answer.verified, error: answer.verified ? null : reasonOf(answer.error)};
  }
});
