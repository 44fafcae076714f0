/** The sign-in page. It also opens when the session has ended. */

import { useRouter, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { useSignIn } from '../api/session'
import { Button } from '../ui/button'
import { TextField } from '../ui/field'
import { Logo } from '../ui/icons'
import { ProblemNotice } from '../ui/notice'

export function SignInPage() {
  const { back } = useSearch({ from: '/sign-in' })
  const { history } = useRouter()
  const signIn = useSignIn()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  useEffect(() => {
    document.title = 'Sign in · Muster'
  }, [])
  const submit = () => {
    signIn.mutate(
      { username, password },
      {
        onSuccess: () => {
          history.push(back ?? '/')
        },
      },
    )
  }
  return (
    <main className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <h1 className="brand">
          <Logo />
          Muster
        </h1>
        {back && <p className="soft">Your session has ended. Sign in to return to your page.</p>}
        <TextField label="Name" value={username} onChange={setUsername} autoComplete="username" required />
        <TextField
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          required
        />
        <ProblemNotice error={signIn.error} />
        <Button type="submit" look="primary" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </main>
  )
}
