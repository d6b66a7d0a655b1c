/** Reading small text files, and what is not one. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { FileError, readTextFile } from '../../../lib/config/sources/text-file.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

function failure(path: string, bytesMax = 100): FileError {
  try {
    readTextFile(path, bytesMax)
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
  throw new Error('was read')
}

describe('readTextFile', () => {
  const directory = temporaryFiles({ 'a.txt': '\ufeffhéllo\n', 'big.txt': 'x'.repeat(101) })

  it('gives the text without a byte order mark, and the mode', () => {
    chmodSync(join(directory, 'a.txt'), 0o640)
    expect(readTextFile(join(directory, 'a.txt'), 100)).to.deep.equal({
      text: 'héllo\n',
      mode: 0o640,
    })
  })

  it('reads up to the bound and not beyond, even from a file without an end', () => {
    expect(readTextFile(join(directory, 'big.txt'), 101).text).to.have.lengthOf(101)
    expect(failure(join(directory, 'big.txt')).message).to.equal('is larger than 100 bytes')
    expect(failure('/dev/zero').message).to.equal('is larger than 100 bytes')
  })

  it('tells a file that is absent from one that cannot be read', () => {
    expect(failure(join(directory, 'none'))).to.include({ message: 'does not exist', absent: true })
    expect(failure(join(directory, 'a.txt', 'x'))).to.include({ absent: true })
    expect(failure(directory)).to.include({ message: 'is a directory', absent: false })
    expect(failure(`${directory}/${'n'.repeat(300)}`).message).to.equal(
      'cannot be read (ENAMETOOLONG)',
    )
  })

  it('refuses bytes that are not UTF-8', () => {
    writeFileSync(join(directory, 'binary'), Buffer.from([0x61, 0xff]))
    expect(failure(join(directory, 'binary')).message).to.equal('is not UTF-8 text')
  })
})
