import { createHmac } from 'node:crypto'
import type { CatalogColumn } from '../catalog/index.js'

/** A text -> the hex digits of its keyed hash. */
export type MaskHash = (text: string) => string

/** HMAC with SHA-256: without the salt nobody can try values out. 32 hex digits: 128 bits. */
export function hashWith(salt: string): MaskHash {
  return (text) => createHmac('sha256', salt).update(text).digest('hex').slice(0, 32)
}

/** Tells one salt from another without telling either. */
export function saltMark(salt: string): string {
  return createHmac('sha256', salt).update('eventward export').digest('hex').slice(0, 16)
}

/** How a column's hash is written, and how many values it tells apart (as bits). */
export interface HashForm {
  readonly bits: number
  /** Texts that the type calls equal, so that a reference is kept, are one text here. */
  readonly same: (text: string) => string
  readonly write: (digits: string) => string
}

/** The form of a hash in a column of this type; null where there is none. A value has one hash wherever it fits whole. */
export function hashForm({
  baseTypeName,
  type,
}: Pick<CatalogColumn, 'baseTypeName' | 'type'>): HashForm | null {
  const length = Number(/\((\d+)\)$/.exec(type)?.[1] ?? 32)
  const kept = Math.min(length, 32)
  const same = (text: string) => text
  switch (baseTypeName) {
    case 'text':
    case 'varchar':
      return { bits: kept * 4, same, write: (digits) => digits.slice(0, kept) }
    case 'citext':
      return { bits: 128, same: (text) => text.toLowerCase(), write: (digits) => digits }
    case 'bpchar':
      return {
        bits: kept * 4,
        same: (text) => text.trimEnd(),
        write: (digits) => digits.slice(0, kept).padEnd(length, ' '),
      }
    case 'uuid':
      return {
        bits: 128,
        same,
        write: (digits) => digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      }
    case 'bytea':
      return { bits: 128, same, write: (digits) => `\\x${digits}` }
    case 'int2':
      return { bits: 15, same, write: (digits) => String(BigInt(`0x${digits}`) % (1n << 15n)) }
    case 'int4':
      return { bits: 31, same, write: (digits) => String(BigInt(`0x${digits}`) % (1n << 31n)) }
    case 'int8':
      return { bits: 63, same, write: (digits) => String(BigInt(`0x${digits}`) % (1n << 63n)) }
    default:
      return null
  }
}

/** A hash as an address that no mail ever reaches (RFC 2606). */
export function emailForm(): HashForm {
  return {
    bits: 64,
    same: (text) => text.toLowerCase(),
    write: (digits) => `${digits.slice(0, 16)}@example.invalid`,
  }
}
